#!/usr/bin/env python3
"""/api/v1/knowledge: collections of files, who may read and change them and the files in them, and what becomes of things that they name."""
import os, sys, threading, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *

K, F = '/api/v1/knowledge/', '/api/v1/files/'
FORM = {'name': 'Sea', 'description': 'about the sea'}
NOBODY = {'read': {'user_ids': [], 'group_ids': []}, 'write': {'user_ids': [], 'group_ids': []}}


def ok(r):
    equal(r.status, 200, r.text()[:300])
    return r.json()


def may_make(s, *users):
    g = ok(s.admin().post('/api/v1/groups/create', {'name': 'keepers', 'description': ''}))
    ok(s.admin().post(f'/api/v1/groups/id/{g["id"]}/update', {'name': 'keepers', 'description': '', 'permissions': {'workspace': {'knowledge': True}},
                                                               'user_ids': [u.id for u in users]}))


def base(s, owner, **more):
    if owner is not s.admin():
        may_make(s, owner)
    return {'id': ok(owner.post(K + 'create', {**FORM, 'access_control': {}, **more}))['id']}


made = 0


def file(owner, content=None):
    global made
    made += 1
    return ok(owner.upload(F + '?process_in_background=false', f'f{made}.txt', (content or f'Words of file {made}.').encode()))['id']


def base_with_file(s, owner):
    id = base(s, owner)['id']
    f = file(owner)
    ok(owner.post(f'{K}{id}/file/add', {'file_id': f}))
    return {'id': id, 'file': f}


def share(owner, id, access, files=None):
    ok(owner.post(f'{K}{id}/update', {**FORM, 'data': {'file_ids': files or []}, 'access_control': access}))


def granted(kind, user):
    """Access for one user; who may write may read, too."""
    both = {'user_ids': [user.id], 'group_ids': []}
    return {'read': both, 'write': both if kind == 'write' else NOBODY['write']}


def file_ids(r):
    return [f['id'] for f in ok(r)['files']]


# ---------------------------------------------------------------- the four sides

four_sides('knowledge: list', 'GET', K, other_status=None)
four_sides('knowledge: what one may change', 'GET', K + 'list', other_status=None)
four_sides('knowledge: make', 'POST', K + 'create', FORM, wrong={'name': 'x'}, owner='admin')
four_sides('knowledge: one', 'GET', K + '{id}', before=base, other_status=200)
four_sides('knowledge: none', 'GET', K + 'nobody', works=401, other_status=None)
four_sides('knowledge: change', 'POST', K + '{id}/update', FORM, wrong={'name': 'x'}, before=base, other_status=400)
four_sides('knowledge: delete', 'DELETE', K + '{id}/delete', before=base, other_status=400)
four_sides('knowledge: empty', 'POST', K + '{id}/reset', before=base, other_status=400)
four_sides('knowledge: add nothing', 'POST', K + '{id}/file/add', {'file_id': 'x'}, wrong={}, works=400, before=base, other_status=400)
four_sides('knowledge: update nothing', 'POST', K + '{id}/file/update', {'file_id': 'x'}, wrong={}, works=400, before=base, other_status=400)
four_sides('knowledge: remove nothing', 'POST', K + '{id}/file/remove', {'file_id': 'x'}, wrong={}, works=400, before=base, other_status=400)
four_sides('knowledge: add several', 'POST', K + '{id}/files/batch/add', [], wrong={'file_id': 'x'}, before=base, other_status=400)
four_sides('knowledge: all anew', 'POST', K + 'reindex', owner='admin')


@test('knowledge: what is not yours is not seen, and stays as it was')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    id = base(s, ann)['id']
    before = ok(ann.get(K + id))
    equal(ok(bob.get(K + id)), None)
    for method, path, body in (('POST', 'update', FORM), ('POST', 'reset', None), ('DELETE', 'delete', None), ('POST', 'file/add', {'file_id': file(bob)})):
        equal(bob.request(method, f'{K}{id}/{path}', body).status, 400, path)
    check(id not in [k['id'] for k in ok(bob.get(K))])
    equal(ok(ann.get(K + id)), before)


@test('knowledge: only who may share with everybody can')
def _(s):
    ann = s.user('ann')
    may_make(s, ann)
    equal(ok(ann.post(K + 'create', FORM))['access_control'], {})
    equal(ok(s.admin().post(K + 'create', FORM))['access_control'], None)


@test('knowledge: id, owner and times never come from the form')
def _(s):
    made = ok(s.admin().post(K + 'create', {**FORM, 'id': 'mine', 'user_id': s.user('bob').id, 'created_at': 1, 'updated_at': 1, 'meta': {'x': 1}}))
    check(made['id'] != 'mine' and made['user_id'] == s.admin().id and made['created_at'] > 1 and made['meta'] is None, made)


# ---------------------------------------------------------------- files

@test('knowledge: a file comes, is found, changes and goes, and is deleted')
def _(s):
    ann = s.user('ann')
    id = base(s, ann)['id']
    f = file(ann)
    equal(file_ids(ann.post(f'{K}{id}/file/add', {'file_id': f})), [f])
    equal(ok(ann.get(K + id))['data'], {'file_ids': [f]})
    equal(ok(ann.get(F + f))['meta']['collection_name'], id)
    r = ann.post(f'{K}{id}/file/add', {'file_id': f})
    equal((r.status, r.json()['detail']), (400, '400: Duplicate content detected. Please provide unique content to proceed.'))
    equal(file_ids(ann.post(f'{K}{id}/file/update', {'file_id': f})), [f])
    equal(file_ids(ann.post(f'{K}{id}/file/remove', {'file_id': f})), [])
    equal(ann.get(F + f).status, 404)
    equal([n for n in os.listdir(os.path.join(s.data, 'uploads')) if n.startswith(f)], [])


@test('knowledge: a file that is taken out may stay')
def _(s):
    ann = s.user('ann')
    b = base_with_file(s, ann)
    equal(file_ids(ann.post(f'{K}{b["id"]}/file/remove?delete_file=false', {'file_id': b['file']})), [])
    equal(ann.get(F + b['file']).status, 200)
    r = ann.post(f'{K}{b["id"]}/file/remove', {'file_id': b['file']})
    equal((r.status, r.json()['detail']), (400, '[ERROR: file_id]'))
    equal(ann.get(F + b['file']).status, 200)


@test('knowledge: a file of somebody else is not taken in, and so not read')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    id, secret = base(s, bob)['id'], file(ann, 'The secret of Ann is blue.')
    equal(bob.post(f'{K}{id}/file/add', {'file_id': secret}).status, 400)
    equal(bob.post(f'{K}{id}/file/update', {'file_id': secret}).status, 400)
    equal(bob.post(f'{K}{id}/files/batch/add', [{'file_id': secret}]).status, 400)
    share(bob, id, {}, [secret])
    made = ok(bob.post(K + 'create', {**FORM, 'access_control': {}, 'data': {'file_ids': [secret]}}))
    equal(made['data'], {'file_ids': []})
    for base_id in (id, made['id']):
        equal(ok(bob.get(K + base_id))['data'], {'file_ids': []})
        equal(ok(bob.get(K + base_id))['files'], [])
        equal(bob.post(f'{K}{base_id}/file/remove', {'file_id': secret}).status, 400)
    equal(bob.get(F + secret).status, 404)
    equal(ok(ann.get(F + secret))['data']['content'], 'The secret of Ann is blue.')


@test('knowledge: readers read its files, writers change it, and both only as long as they may')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    b = base_with_file(s, ann)
    id, f = b['id'], b['file']
    share(ann, id, granted('read', bob), [f])
    equal(ok(bob.get(K + id))['files'][0]['id'], f)
    for path in ('', '/content', '/data/content', '/process/status', '/content/x'):
        equal(bob.get(F + f + path).status, 200, path)
    equal(bob.post(F + f + '/data/content/update', {'content': 'x'}).status, 404)
    equal(bob.delete(F + f).status, 404)
    equal(bob.post(f'{K}{id}/file/remove', {'file_id': f}).status, 400)
    share(ann, id, granted('write', bob), [f])
    mine = file(bob)
    equal(sorted(file_ids(bob.post(f'{K}{id}/file/add', {'file_id': mine}))), sorted([f, mine]))
    equal(ok(ann.get(F + mine))['user_id'], bob.id)
    share(ann, id, {}, [f, mine])
    equal(bob.get(F + f).status, 404)
    equal(ok(bob.get(K + id)), None)
    equal(bob.get(F + mine).status, 200)


@test('knowledge: who read a file through a collection no longer does when it leaves it')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    b = base_with_file(s, ann)
    share(ann, b['id'], granted('read', bob), [b['file']])
    equal(bob.get(F + b['file']).status, 200)
    ok(ann.post(f'{K}{b["id"]}/file/remove?delete_file=false', {'file_id': b['file']}))
    equal(bob.get(F + b['file']).status, 404)


@test('knowledge: several at once, all or none')
def _(s):
    ann = s.user('ann')
    id = base(s, ann)['id']
    files = [file(ann) for _ in range(3)]
    equal(sorted(file_ids(ann.post(f'{K}{id}/files/batch/add', [{'file_id': f} for f in files]))), sorted(files))
    r = ann.post(f'{K}{id}/files/batch/add', [{'file_id': files[0]}, {'file_id': 'gone'}])
    equal((r.status, r.json()['detail']), (400, 'File gone not found'))
    equal(sorted(file_ids(ann.get(K + id))), sorted(files))


@test('knowledge: files that are added at the same time are all in it')
def _(s):
    ann = s.user('ann')
    id = base(s, ann)['id']
    files = [file(ann) for _ in range(6)]
    results = []
    threads = [threading.Thread(target=lambda f=f: results.append(ann.post(f'{K}{id}/file/add', {'file_id': f}))) for f in files]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal([r.status for r in results], [200] * 6, str(results[0]))
    equal(sorted(ok(ann.get(K + id))['data']['file_ids']), sorted(files))


@test('knowledge: lists need no more queries for many collections, and do not show files that are gone')
def _(s):
    ann = s.user('ann')
    b = base_with_file(s, ann)
    ok(ann.delete(F + b['file']))
    shown = [k for k in ok(ann.get(K)) if k['id'] == b['id']][0]
    equal((shown['files'], shown['data']), ([], {'file_ids': []}))
    equal(shown['user']['id'], ann.id)


@test('knowledge: emptied, its files stay; deleted, models forget it')
def _(s):
    admin = s.admin()
    b = base_with_file(s, admin)
    ok(admin.post('/api/v1/models/create', {'id': 'knows-' + b['id'], 'name': 'Knows', 'base_model_id': 'stub-echo', 'params': {},
                                            'meta': {'description': 'd', 'knowledge': [{'type': 'collection', 'id': b['id']}, {'type': 'collection', 'id': 'other'}]}}))
    emptied = ok(admin.post(f'{K}{b["id"]}/reset'))
    equal((emptied['data'], emptied['files']), ({'file_ids': []}, None))
    equal(admin.get(F + b['file']).status, 200)
    equal(ok(admin.delete(f'{K}{b["id"]}/delete')), True)
    equal(admin.get(K + b['id']).status, 401)
    equal(ok(admin.get('/api/v1/models/model?id=knows-' + b['id']))['meta']['knowledge'], [{'type': 'collection', 'id': 'other'}])
    equal(admin.get(F + b['file']).status, 200)


@test('knowledge: all anew, and it is answered when that is done')
def _(s):
    admin = s.admin()
    b = base_with_file(s, admin)
    empty = base(s, admin)['id']
    equal(ok(admin.post(K + 'reindex', timeout=120)), True)
    equal(file_ids(admin.get(K + b['id'])), [b['file']])
    equal(admin.get(K + empty).status, 200)
    r = admin.post(f'{K}{b["id"]}/file/add', {'file_id': b['file']})
    equal(r.json().get('detail'), '400: Duplicate content detected. Please provide unique content to proceed.', 'it is in the vectors again')


@test('knowledge: collections of a user who is deleted stay, without their owner')
def _(s):
    eve, admin = s.user('eve-of-knowledge'), s.admin()
    b = base_with_file(s, eve)
    equal(admin.delete(f'/api/v1/users/{eve.id}').status, 200)
    shown = [k for k in ok(admin.get(K)) if k['id'] == b['id']][0]
    equal((shown['user'], [f['id'] for f in shown['files']]), (None, [b['file']]))
    equal(ok(admin.delete(f'{K}{b["id"]}/delete')), True)


main()
