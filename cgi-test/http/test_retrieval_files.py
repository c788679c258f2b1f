#!/usr/bin/env python3
"""/retrieval with uploaded files and knowledge bases: processed, asked, taken out, and whose they are."""
import contextlib, os, sqlite3, struct, uuid

from harness import *

PATH = '/api/v1/retrieval/'
PROHIBITED = 'You do not have permission to access this resource. Please contact your administrator for assistance.'


def upload(who, content, name='words.txt', process=True):
    r = who.upload('/api/v1/files/?process_in_background=false' if process else '/api/v1/files/?process=false', name, content.encode())
    equal(r.status, 200, r.text())
    return r.json()['id']


def raw(s, owner):
    return {'id': upload(owner, 'Late words about copper.', process=False)}


def ask(who, collection, query='words', **more):
    r = who.post(PATH + 'query/doc', {'collection_name': collection, 'query': query, **more})
    return r.json()['documents'][0] if r.status == 200 and r.json() else (r.status, r.json())


def base(s, owner, access):
    r = owner.post('/api/v1/knowledge/create', {'name': 'Base', 'description': 'd', 'access_control': access})
    equal(r.status, 200, r.text())
    return r.json()['id']


def whole(id, who):
    return {**{name: None for name in ('hash', 'path', 'data', 'meta', 'access_control')}, **who.get('/api/v1/files/' + id).json()}


@test('retrieval files: process: four sides')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    body = {'file_id': raw(s, ann)['id']}
    equal(s.anyone().post(PATH + 'process/file', body).status, 401)
    equal(bob.post(PATH + 'process/file', body).status, 404)
    equal(ann.post(PATH + 'process/file', {'file_id': 'none'}).status, 404)
    equal(ann.post(PATH + 'process/file', {'file_id': 5}).status, 422)
    r = ann.post(PATH + 'process/file', body)
    equal(r.json(), {'status': True, 'collection_name': 'file-' + body['file_id'], 'filename': 'words.txt', 'content': 'Late words about copper.'})
    equal(ann.post(PATH + 'process/file', body).status, 400)
    equal(ann.get(f'/api/v1/files/{body["file_id"]}/process/status').json(), {'status': 'failed'})
    equal(s.admin().post(PATH + 'process/file', {**body, 'content': 'Tin<br/>words.'}).status, 200)
    equal(ask(ann, 'file-' + body['file_id']), ['Tin\nwords.'])


@test('retrieval files: a file is asked by its owner and administrators, and by nobody else')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    name = 'file-' + upload(ann, 'The secret of ann.')
    for who in (ann, s.admin()):
        equal(ask(who, name), ['The secret of ann.'])
    equal(ask(bob, name), (403, {'detail': PROHIBITED}))
    equal(bob.post(PATH + 'query/collection', {'collection_names': [name], 'query': 'x'}).status, 403)
    equal(bob.post(PATH + 'process/text', {'name': 'x', 'content': 'x', 'collection_name': name}).status, 403)
    equal(ask(ann, name, k=9), ['The secret of ann.'])


@test('retrieval files: a knowledge base is asked by its readers and filled by its writers')
def _(s):
    ann, bob, eve = s.user('ann'), s.user('bob'), s.user('eve')
    admin = s.admin()
    k = base(s, admin, {'read': {'user_ids': [ann.id, bob.id], 'group_ids': []}, 'write': {'user_ids': [ann.id], 'group_ids': []}})
    id, other = upload(ann, 'Words for all.'), upload(bob, 'Words of bob.')
    equal(bob.post(PATH + 'process/file', {'file_id': other, 'collection_name': k}).status, 403)
    equal(ann.post(PATH + 'process/file', {'file_id': id, 'collection_name': k}).json()['collection_name'], k)
    for who in (ann, bob, admin):
        equal(ask(who, k), ['Words for all.'])
    equal(ask(eve, k)[0], 403)
    equal(ann.post(PATH + 'process/file', {'file_id': id, 'collection_name': k}).json(),
          {'detail': 'Duplicate content detected. Please provide unique content to proceed.'})
    equal(admin.post(PATH + 'delete', {'collection_name': k, 'file_id': id}).json(), {'status': True})
    equal(ask(ann, k), [])
    equal(admin.post(PATH + 'delete', {'collection_name': 'none', 'file_id': id}).json(), {'status': False})


@test('retrieval files: a batch takes the stored text, and own files only')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    mine, theirs = upload(ann, 'Mine.'), upload(bob, 'Theirs.')
    body = {'files': [{**whole(mine, ann), 'data': {'content': 'Forged.'}, 'user_id': bob.id}, {**whole(mine, ann), 'id': theirs}],
            'collection_name': 'tf-batch'}
    equal(s.anyone().post(PATH + 'process/files/batch', body).status, 401)
    equal(ann.post(PATH + 'process/files/batch', {'files': [{'id': 'x'}], 'collection_name': 'c'}).status, 422)
    r = ann.post(PATH + 'process/files/batch', body).json()
    equal([(x['file_id'], x['status'], x['error']) for x in r['results']], [(mine, 'completed', None)])
    equal([(x['file_id'], x['status']) for x in r['errors']], [(theirs, 'failed')])
    equal(ask(ann, 'tf-batch', k=9), ['Mine.'])
    equal(bob.get('/api/v1/files/' + theirs).json()['data']['content'], 'Theirs.')


@test('retrieval files: reset of uploads and of vectors: four sides')
def _(s):
    ann, admin = s.user('ann'), s.admin()
    id, k = upload(ann, 'Words that go.'), base(s, admin, {})
    for what in ('uploads', 'db'):
        equal(s.anyone().post(PATH + 'reset/' + what).status, 401)
        equal(ann.post(PATH + 'reset/' + what).status, 401)
    equal(ask(ann, 'file-' + id), ['Words that go.'])
    equal(admin.post(PATH + 'reset/db').json(), None)
    equal(ask(ann, 'file-' + id), (200, None))
    equal(admin.get('/api/v1/knowledge/').json(), [])
    equal(ann.get(f'/api/v1/files/{id}/content').status, 200)
    equal(admin.post(PATH + 'reset/uploads').json(), True)
    equal(ann.get(f'/api/v1/files/{id}/content').status, 400)
    equal(ask(ann, 'file-' + upload(ann, 'Words anew.')), ['Words anew.'])


@test('retrieval files: vectors of Chroma are taken over')
def _(s):
    ann, path = s.user('ann'), os.path.join(s.data, 'vector_db', 'chroma.sqlite3')
    check('there is no ' in s.ctl('vectors', 'import', check=False))
    id, segment, meta = upload(ann, 'Read, but not embedded.', process=False), str(uuid.uuid4()), str(uuid.uuid4())
    numbers = ann.get(PATH + 'ef/oranges').json()['result']
    vector = struct.pack(f'<{len(numbers)}f', *numbers)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.executescript("""CREATE TABLE collections (id TEXT, name TEXT, dimension INTEGER, database_id TEXT);
            CREATE TABLE segments (id TEXT, type TEXT, scope TEXT, collection TEXT);
            CREATE TABLE embeddings (id INTEGER PRIMARY KEY, segment_id TEXT, embedding_id TEXT, seq_id BLOB);
            CREATE TABLE embedding_metadata (id INTEGER, key TEXT, string_value TEXT, int_value INTEGER, float_value REAL, bool_value INTEGER);
            CREATE TABLE embeddings_queue (seq_id INTEGER, operation INTEGER, topic TEXT, id TEXT, vector BLOB, encoding TEXT, metadata TEXT);""")
        db.execute('INSERT INTO collections VALUES (?, ?, ?, ?)', (segment, 'file-' + id, len(vector) // 4, 'd'))
        db.execute('INSERT INTO segments VALUES (?, ?, ?, ?)', (meta, 't', 'METADATA', segment))
        db.execute('INSERT INTO embeddings VALUES (1, ?, ?, 1)', (meta, 'one'))
        db.execute('INSERT INTO embedding_metadata VALUES (1, ?, ?, NULL, NULL, NULL)', ('chroma:document', 'Oranges from Chroma.'))
        db.execute('INSERT INTO embeddings_queue VALUES (1, 0, ?, ?, ?, ?, ?)', ('persistent://default/default/' + segment, 'one', vector, 'FLOAT32', '{}'))
    check('1 collections with 1 texts' in s.ctl('vectors', 'import'))
    equal(ask(ann, 'file-' + id, 'oranges'), ['Oranges from Chroma.'])
    os.unlink(path)


main()
