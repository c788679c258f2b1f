#!/usr/bin/env python3
"""/api/v1/models, /api/models, /api/embeddings: the workspace's models, who may use which, lists of several providers, good and bad."""
import threading, time

from harness import *
from providers import *

M = '/api/v1/models/'
PNG = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
SVG = 'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciPjxzY3JpcHQ+YWxlcnQoMSk8L3NjcmlwdD48L3N2Zz4='
TIMEOUT_S = 2


def may_make_models(s, *users):
    g = s.admin().post('/api/v1/groups/create', {'name': 'modellers', 'description': ''}).json()
    r = s.admin().post(f'/api/v1/groups/id/{g["id"]}/update', {'name': 'modellers', 'description': '', 'permissions': {'workspace': {'models': True}},
                                                                'user_ids': [u.id for u in users]})
    equal(r.status, 200, r.text())


def ids(r):
    equal(r.status, 200, r.text())
    return [m['id'] for m in r.json()['data']]


made = 0


def model(s, owner):
    """A fresh model of the owner, whom nobody else may see."""
    global made
    made += 1
    id = f'made-{made}'
    if owner is not s.admin():
        may_make_models(s, owner)
    r = owner.post(M + 'create', form(id, access_control={}))
    equal(r.status, 200, r.text())
    return {'id': id}


# ---------------------------------------------------------------- the four sides

four_sides('models: list', 'GET', M, other_status=None)
four_sides('models: settings of providers\' models', 'GET', M + 'base', owner='admin')
four_sides('models: make', 'POST', M + 'create', form('four-sides'), wrong={'id': 'x'}, owner='admin')
four_sides('models: export', 'GET', M + 'export', owner='admin')
four_sides('models: import', 'POST', M + 'import', {'models': []}, wrong={'models': {}}, owner='admin')
four_sides('models: sync', 'POST', M + 'sync', {'models': []}, wrong={'models': [{'id': 'x'}]}, owner='admin')
four_sides('models: one', 'GET', M + 'model?id={id}', before=model, other_status=200)
four_sides('models: one, by path', 'GET', M + '{id}', before=model, other_status=200)
four_sides('models: none, by path', 'GET', M + 'nobody', works=401, other_status=None)
four_sides('models: none', 'GET', M + 'model?id=nobody', works=401, other_status=None)
four_sides('models: one without an id', 'GET', M + 'model', works=422, other_status=None)
four_sides('models: toggle', 'POST', M + 'model/toggle?id={id}', before=model)
four_sides('models: change', 'POST', M + 'model/update?id={id}', form('x'), wrong={'id': 'x'}, before=model, other_status=400)
four_sides('models: delete', 'DELETE', M + 'model/delete?id={id}', before=model)
four_sides('models: picture', 'GET', M + 'model/profile/image?id={id}', before=model, other_status=200)
four_sides('models: delete all', 'DELETE', M + 'delete/all', owner='admin')
four_sides('all models', 'GET', '/api/models', other_status=None)
four_sides('all models, refresh that is none', 'GET', '/api/models?refresh=maybe', works=422, other_status=None)
four_sides('all models, for OpenAI\'s clients', 'GET', '/api/v1/models', other_status=None)
four_sides('base models', 'GET', '/api/models/base', owner='admin')
four_sides('embeddings', 'POST', '/api/embeddings', {'model': 'stub-small', 'input': ['a', 'b']}, wrong=[1], owner='admin', other_status=404)
four_sides('embeddings, for OpenAI\'s clients', 'POST', '/api/v1/embeddings', {'model': 'stub-small', 'input': 'a'}, wrong=[1], owner='admin', other_status=404)


# ---------------------------------------------------------------- workspace models

@test('models: what is not yours is not seen, and stays as it was')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    id = model(s, ann)['id']
    equal(bob.get(M + f'model?id={id}').json(), None)
    bob.post(M + f'model/update?id={id}', form(id, name='stolen'))
    bob.post(M + f'model/toggle?id={id}')
    bob.delete(M + f'model/delete?id={id}')
    row = ann.get(M + f'model?id={id}').json()
    equal((row['name'], row['is_active'], row['user_id']), (id, True, ann.id))
    check(id not in [m['id'] for m in bob.get(M).json()], 'listed')
    check(id not in ids(bob.get('/api/models')), 'offered')
    check(id in ids(ann.get('/api/models')), 'not offered to its owner')


@test('models: grants: to read, to write, to a group, to all')
def _(s):
    ann, bob, cat = s.user('ann'), s.user('bob'), s.user('cat')
    id = model(s, ann)['id']

    def grant(access):
        equal(ann.post(M + f'model/update?id={id}', form(id, access_control=access)).status, 200)
    grant(open_to(s, bob))
    check(id in ids(bob.get('/api/models')) and id not in ids(cat.get('/api/models')), 'to read')
    equal(bob.post(M + f'model/toggle?id={id}').status, 401)
    grant(open_to(s, write=[bob]))
    check(id not in ids(bob.get('/api/models')), 'who may write may not use')
    equal(bob.post(M + f'model/toggle?id={id}').json()['is_active'], False)
    equal(bob.post(M + f'model/toggle?id={id}').json()['is_active'], True)
    g = s.admin().post('/api/v1/groups/create', {'name': 'readers', 'description': ''}).json()['id']
    s.admin().post(f'/api/v1/groups/id/{g}/update', {'name': 'readers', 'description': '', 'user_ids': [cat.id]})
    grant({'read': {'group_ids': [g]}})
    check(id in ids(cat.get('/api/models')) and id not in ids(bob.get('/api/models')), 'to a group')
    s.admin().delete(f'/api/v1/groups/id/{g}/delete')
    check(id not in ids(cat.get('/api/models')), 'the group is gone')
    grant(None)
    check(id in ids(cat.get('/api/models')) and id in ids(bob.get('/api/models')), 'to all')


@test('models: a form names no owner and no times; only administrators set up providers\' models')
def _(s):
    ann = s.user('ann')
    may_make_models(s, ann)
    r = ann.post(M + 'create', form('assigned', user_id=s.admin().id, created_at=1, updated_at=1, access_control={}))
    equal((r.json()['user_id'], r.json()['created_at'] > 1), (ann.id, True))
    equal(ann.post(M + 'create', form('stub-large', base_model_id=None)).status, 401)
    equal(ann.post(M + 'create', {k: v for k, v in form('stub-large').items() if k != 'base_model_id'}).status, 401)
    equal(ann.post(M + 'model/update?id=assigned', form('assigned', base_model_id=None)).status, 401)
    check('stub-large' not in ids(ann.get('/api/models')), 'opened to herself')
    check('stub-large' in ids(s.admin().get('/api/models')), 'switched off')
    equal(ann.post(M + 'create', form('assigned')).status, 401)
    equal(ann.delete(M + 'model/delete?id=assigned').json(), True)


@test('models: pictures are pictures')
def _(s):
    admin = s.admin()

    def picture(url):
        admin.post(M + 'model/delete?id=pic')
        admin.delete(M + 'model/delete?id=pic')
        equal(admin.post(M + 'create', form('pic', meta={'profile_image_url': url})).status, 200)
        return s.user('ann').get(M + 'model/profile/image?id=pic')
    r = picture(PNG)
    equal((r.status, r.headers['content-type'], r.body[:4]), (200, 'image/png', b'\x89PNG'))
    r = picture(SVG)
    check(r.status == 200 and b'<svg' not in r.body and r.headers['content-type'] == 'image/png', 'an SVG is served')
    r = picture('https://example.test/a.png')
    equal((r.status, r.headers['location']), (302, 'https://example.test/a.png'))
    for url in ('javascript:alert(1)', 'httpx://x', '/etc/passwd', 'data:text/html;base64,PGI+', 'https://x/\r\nSet-Cookie: a=b', None):
        r = picture(url)
        check(r.status in (200, 302, 500) and 'set-cookie' not in r.headers and b'root:' not in r.body and b'<b>' not in r.body, str(url))


@test('models: import and sync, whole or not at all')
def _(s):
    admin = s.admin()
    equal(admin.delete(M + 'delete/all').json(), True)
    r = admin.post(M + 'import', {'models': [form('imp-a'), form('imp-b', meta=None)]})
    equal(r.status, 500)
    equal(admin.get(M + 'export').json(), [])
    equal(admin.post(M + 'import', {'models': [form('imp-a'), form('imp-a', name='twice'), {'id': 'imp-b', 'name': 'B', 'base_model_id': 'x'}]}).json(), True)
    equal(sorted((m['id'], m['name']) for m in admin.get(M + 'export').json()), [('imp-a', 'twice'), ('imp-b', 'B')])
    row = {**form('imp-c'), 'user_id': 'somebody', 'is_active': True, 'updated_at': 1, 'created_at': 2}
    got = admin.post(M + 'sync', {'models': [row]}).json()
    equal([(m['id'], m['user_id'], m['created_at']) for m in got], [('imp-c', admin.id, 2)])
    equal(admin.post(M + 'sync', {'models': [{**row, 'is_active': 'perhaps'}]}).status, 422)
    equal([m['id'] for m in admin.get(M + 'export').json()], ['imp-c'])
    check(admin.post(M + 'create', form('nul\0')).status >= 400, 'an id with NUL')
    equal(admin.delete(M + 'delete/all').json(), True)


# ---------------------------------------------------------------- lists

@test('all models: prefixes, tags, named models, connections that are off, an order')
def _(s):
    admin = s.admin()
    with Fake({'GET /models': models('a', 'b'), 'GET /api/tags': tags('x:1b'), 'GET /api/ps': tags()}) as f:
        with connections(s, [f.url, f.url, f.url], {'1': {'prefix_id': 'p', 'tags': [{'name': 't'}], 'model_ids': ['m']}, '2': {'enable': False}}, [f.url]):
            want = ['a', 'b', 'p.m', 'x:1b', 'arena-model']
            equal(ids(admin.get('/api/models')), want)
            equal(ids(admin.get('/api/v1/models')), want)
            equal(ids(admin.get('/api/models/base')), want[:-1])
            equal([m['tags'] for m in admin.get('/api/models').json()['data'] if m['id'] == 'p.m'], [[{'name': 't'}]])
            equal(admin.post('/api/v1/configs/models', {'DEFAULT_MODELS': None, 'MODEL_ORDER_LIST': ['x:1b', 'b']}).status, 200)
            equal(ids(admin.get('/api/models')), ['x:1b', 'b', 'arena-model', 'a', 'p.m'])
            admin.post('/api/v1/configs/models', {'DEFAULT_MODELS': None, 'MODEL_ORDER_LIST': []})
            check(all(h.get('authorization') == 'Bearer sk-test-key' for m, p, h, b in f.seen if p == '/models'), 'without a key')


@test('all models: settings of a model rename it, hide it, open it')
def _(s):
    admin, ann = s.admin(), s.user('ann')
    equal(admin.post(M + 'create', form('stub-echo', base_model_id=None, name='Echo', access_control=open_to(s, ann))).status, 200)
    equal([m['name'] for m in ann.get('/api/models').json()['data'] if m['id'] == 'stub-echo'], ['Echo'])
    admin.post(M + 'model/toggle?id=stub-echo')
    check('stub-echo' not in ids(admin.get('/api/models')) and 'stub-echo' not in ids(ann.get('/api/models')), 'still there')
    equal(ann.post('/openai/chat/completions', {'model': 'stub-echo', 'messages': []}).status, 403)
    admin.delete(M + 'model/delete?id=stub-echo')
    check('stub-echo' in ids(admin.get('/api/models')), 'gone')


@test('all models: garbage of one provider is no trouble of the others')
def _(s):
    for status, kind, body in ((200, 'text/html', '<html>'), (200, JSON, ''), (200, JSON, '[1, null]'), (200, JSON, '{"data": 5}'), (500, JSON, '{"error": "x"}'),
                               (200, JSON, '{"data": [{"id": 7}, {"id": ""}]}'), (200, JSON, '[' * 100000), (200, JSON, b'{"data": [{"id": "\xff"}]}'),
                               (302, JSON, '{}')):
        with Fake({'GET /models': (status, kind, body), 'GET /api/tags': (status, kind, body)}) as bad, Fake({'GET /models': models('good')}) as good:
            with connections(s, [bad.url, good.url], None, [bad.url]):
                equal(ids(s.admin().get('/api/models/base')), ['good'], str(body[:20]))


@test('all models: a dead provider costs its time once, and only the one who asks')
def _(s):
    admin = s.admin()
    with Dead() as dead, Fake({'GET /models': models('a')}) as good, connections(s, [dead.url, good.url], None, [dead.url]):
        start = time.monotonic()
        equal(ids(admin.get('/api/models/base')), ['a'])
        took = time.monotonic() - start
        check(TIMEOUT_S - 0.5 < took < TIMEOUT_S + 1.5, f'the first took {took:.1f} s')
        for _ in range(20):
            start = time.monotonic()
            admin.get('/api/models/base')
            check(time.monotonic() - start < 0.5, 'another waits, too')
        time.sleep(3 * took + 0.2)
        slow, lock = [], threading.Lock()

        def ask():
            start = time.monotonic()
            ids(admin.get('/api/models'))
            if time.monotonic() - start > 1:
                with lock:
                    slow.append(1)
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for t in threads:
            t.start()
            time.sleep(0.05)
        for t in threads:
            t.join()
        equal(len(slow), 1, 'so many waited')


@test('all models: providers are asked once while their answer is good')
def _(s):
    with Fake({'GET /models': models('a')}) as f, connections(s, [f.url]):
        s.admin().get('/api/models')
        before, start = len(f.seen), time.monotonic()
        while time.monotonic() - start < 0.8:
            s.admin().get('/api/models')
        check(len(f.seen) - before <= 1, f'{len(f.seen) - before} times')
        f.answers['GET /models'] = models('a', 'new')
        check('new' in ids(s.admin().get('/api/models?refresh=true')), 'refresh does not ask')


@test('embeddings: of every kind of provider, in one form')
def _(s):
    admin = s.admin()
    with Fake({'GET /api/tags': tags('e:1b'), 'GET /models': models('p.v'), 'POST /api/embeddings': (200, JSON, '{"embedding": [1, 2]}'),
               'POST /api/embed': (200, JSON, '{"embeddings": [[1], [2]]}'), 'POST /embeddings': (200, JSON, '{"object": "list", "data": [], "model": "v"}')}) as f:
        with connections(s, [f.url], {'0': {'prefix_id': 'o'}}, [f.url], {'0': {'prefix_id': 'l'}}):
            r = admin.post('/api/embeddings', {'model': 'l.e:1b', 'input': 'text'})
            equal(r.json(), {'object': 'list', 'data': [{'object': 'embedding', 'embedding': [1, 2], 'index': 0}], 'model': 'l.e:1b'})
            equal(f.last()[3], {'model': 'e:1b', 'prompt': 'text'})
            r = admin.post('/api/embeddings', {'model': 'l.e:1b', 'input': ['a', 'b']})
            equal([d['embedding'] for d in r.json()['data']], [[1], [2]])
            equal(f.last()[3], {'model': 'e:1b', 'input': ['a', 'b']})
            equal(admin.post('/api/embeddings', {'model': 'o.p.v', 'input': 'x', 'dimensions': 3}).status, 200)
            equal(f.last()[3], {'model': 'p.v', 'input': 'x', 'dimensions': 3})
            f.answers['POST /api/embeddings'] = (404, JSON, '{"error": "model not loaded"}')
            r = admin.post('/api/embeddings', {'model': 'l.e:1b', 'input': 'text'})
            equal((r.status, r.json()), (500, {'detail': 'Ollama: model not loaded'}))
    equal(s.user('ann').post('/api/embeddings', {'model': 'stub-small', 'input': 'x'}).status, 404)


@test('models: by path the same is answered as by query')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    id = model(s, ann)['id']
    equal(ann.get(M + id).json(), ann.get(M + 'model?id=' + id).json())
    equal(ann.get(M + id).json()['id'], id)
    equal(bob.get(M + id).json(), None)
    equal(s.admin().get(M + 'base').status, 200)


if __name__ == '__main__':
    main(env={'AIOHTTP_CLIENT_TIMEOUT_MODEL_LIST': str(TIMEOUT_S)})
