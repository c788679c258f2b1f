#!/usr/bin/env python3
"""/ollama: servers, models, management, chat; who reaches which model on which server."""
import time

from harness import *
from providers import *

TAG, NDJSON = 'stub-ollama:latest', 'application/x-ndjson'
HELLO = {'model': TAG, 'stream': False, 'messages': [{'role': 'user', 'content': 'hi'}]}
CONFIG = {'ENABLE_OLLAMA_API': True, 'OLLAMA_BASE_URLS': [], 'OLLAMA_API_CONFIGS': {}}


def opened(s, owner=None):
    """ann may use the stub's model."""
    s.admin().delete('/api/v1/models/model/delete?id=' + TAG)
    r = s.admin().post('/api/v1/models/create', form(TAG, base_model_id=None, access_control=open_to(s, s.user('ann'))))
    equal(r.status, 200, r.text())
    return {}


four_sides('ollama: config', 'GET', '/ollama/config', owner='admin')
four_sides('ollama: verify', 'POST', '/ollama/verify', {'url': 'http://127.0.0.1:9'}, wrong={'key': 'x'}, works=500, owner='admin')
four_sides('ollama: tags', 'GET', '/ollama/api/tags', other_status=None)
four_sides('ollama: tags of one', 'GET', '/ollama/api/tags/0', other_status=None)
four_sides('ollama: tags of one that is none', 'GET', '/ollama/api/tags/x', works=422, other_status=None)
four_sides('ollama: loaded', 'GET', '/ollama/api/ps', owner='admin')
four_sides('ollama: models in OpenAI\'s form', 'GET', '/ollama/v1/models', other_status=None)
four_sides('ollama: models of one in OpenAI\'s form', 'GET', '/ollama/v1/models/0', other_status=None)
four_sides('ollama: unload', 'POST', '/ollama/api/unload', {'model': 'stub-ollama'}, wrong={'model': 5}, owner='admin')
four_sides('ollama: download', 'POST', '/ollama/models/download', {'url': 'http://127.0.0.1/x'}, wrong={}, works=400, owner='admin')
four_sides('ollama: show', 'POST', '/ollama/api/show', {'model': TAG}, wrong={'model': 5}, before=opened, other_status=403)
for server in ('', '/0'):
    four_sides('ollama: pull' + server, 'POST', '/ollama/api/pull' + server, {'model': TAG}, wrong={'model': 5}, owner='admin')
    four_sides('ollama: push' + server, 'DELETE', '/ollama/api/push' + server, {'model': TAG}, wrong={}, owner='admin')
    four_sides('ollama: create' + server, 'POST', '/ollama/api/create' + server, {'model': 'x', 'from': TAG}, wrong={'stream': 'perhaps'}, owner='admin')
    four_sides('ollama: copy' + server, 'POST', '/ollama/api/copy' + server, {'source': TAG, 'destination': 'x'}, wrong={'source': TAG}, owner='admin')
    four_sides('ollama: delete' + server, 'DELETE', '/ollama/api/delete' + server, {'model': TAG}, wrong={'model': 5}, owner='admin')
    four_sides('ollama: embed' + server, 'POST', '/ollama/api/embed' + server, {'model': TAG, 'input': ['a']}, wrong={'model': TAG}, before=opened, other_status=403)
    four_sides('ollama: embeddings' + server, 'POST', '/ollama/api/embeddings' + server, {'model': TAG, 'prompt': 'a'}, wrong={'model': TAG}, before=opened,
               other_status=403)
    four_sides('ollama: generate' + server, 'POST', '/ollama/api/generate' + server, {'model': TAG, 'prompt': 'a', 'stream': False}, wrong={'model': TAG},
               before=opened, other_status=403)
    four_sides('ollama: chat' + server, 'POST', '/ollama/api/chat' + server, HELLO, wrong={'model': TAG}, wrong_status=400, before=opened, other_status=403)
    four_sides('ollama: chat in OpenAI\'s form' + server, 'POST', '/ollama/v1/chat/completions' + server, HELLO, wrong={'model': TAG}, wrong_status=400,
               before=opened, other_status=403)
    four_sides('ollama: completion in OpenAI\'s form' + server, 'POST', '/ollama/v1/completions' + server, {'model': TAG, 'prompt': 'a'}, wrong={'model': TAG},
               wrong_status=400, before=opened, other_status=403)


@test('ollama: config update: four sides')
def _(s):
    equal(s.anyone().post('/ollama/config/update', CONFIG).status, 401)
    equal(s.user('bob').post('/ollama/config/update', CONFIG).status, 401)
    equal(s.admin().post('/ollama/config/update', {**CONFIG, 'OLLAMA_BASE_URLS': 'x'}).status, 422)
    was = s.admin().get('/ollama/config').json()
    try:
        r = s.admin().post('/ollama/config/update', {**CONFIG, 'OLLAMA_BASE_URLS': ['http://a'], 'OLLAMA_API_CONFIGS': {'0': {'key': 'k'}, '1': {}, 'http://a': {}}})
        equal(r.json(), {**CONFIG, 'OLLAMA_BASE_URLS': ['http://a'], 'OLLAMA_API_CONFIGS': {'0': {'key': 'k'}}})
        check('"k"' not in s.user('ann').get('/api/config').text(), 'the key is shown')
    finally:
        equal(s.admin().post('/ollama/config/update', was).json(), was)


@test('ollama: anybody may ask for the status and the version; servers are not asked each time')
def _(s):
    equal(s.anyone().get('/ollama/').json(), {'status': True})
    equal(s.anyone().request('HEAD', '/ollama/').status, 200)
    answers = {'GET /api/version': (200, JSON, '{"version": "0.12.3"}'), 'GET /old/api/version': (200, JSON, '{"version": "v0.9.10-rc1"}'),
               'GET /bad/api/version': (200, JSON, '{"version": ["x"]}')}
    with Fake(answers) as f, connections(s, [], None, [f.url, f.url + '/old', f.url + '/bad', 'http://127.0.0.1:9']):
        for _ in range(30):
            equal(s.anyone().get('/ollama/api/version').json(), {'version': 'v0.9.10-rc1'})
            equal(s.anyone().get('/ollama/api/version/0').json(), {'version': '0.12.3'})
        check(len([1 for _, p, _, _ in f.seen if p.endswith('version')]) <= 4 * 8, 'asked each time')
        equal(s.anyone().get('/ollama/api/version/3').json(), {'detail': 'Open WebUI: Server Connection Error'})
        for index in ('4', '-1', '2147483646', '2147483647', '9223372036854775807', '-9223372036854775808'):
            equal(s.anyone().get('/ollama/api/version/' + index).status, 404, index)
        equal(s.anyone().get('/ollama/api/version?url_idx=1').json(), {'version': 'v0.9.10-rc1'})
    with Dead() as dead, connections(s, [], None, [dead.url]):
        start = time.monotonic()
        equal(s.anyone().get('/ollama/api/version').json(), {'detail': 'WebUI could not connect to Ollama'})
        check(time.monotonic() - start < 5, 'strangers can keep a process for long')


@test('ollama: several servers: where a model is, prefixes, keys, servers that are off')
def _(s):
    admin = s.admin()
    with Fake({'GET /api/tags': tags('x:1b', 'y:1b'), 'GET /api/ps': tags('x:1b'), 'POST /api/chat': (200, JSON, '{"done": true}')}) as one, \
            Fake({'GET /api/tags': tags('x:1b', 'z:1b'), 'GET /api/ps': tags('z:1b'), 'POST /api/chat': (200, JSON, '{"done": true}')}) as two:
        with connections(s, [], None, [one.url, two.url, two.url, one.url], {'2': {'prefix_id': 'p', 'model_ids': ['z:1b'], 'key': 'kk'}, '3': {'enable': False}}):
            equal([(m['model'], m['urls']) for m in admin.get('/ollama/api/tags').json()['models']], [('x:1b', [0, 1]), ('y:1b', [0]), ('z:1b', [1]), ('p.z:1b', [2])])
            equal([(m['model'], m['urls']) for m in admin.get('/ollama/api/ps').json()['models']], [('x:1b', [0]), ('z:1b', [1]), ('p.z:1b', [2])])
            equal([m['model'] for m in admin.get('/ollama/api/tags/1').json()['models']], ['x:1b', 'z:1b'])
            equal([m['id'] for m in admin.get('/ollama/v1/models/2').json()['data']], ['p.z:1b'])
            equal(admin.post('/ollama/api/chat', {'model': 'p.z:1b', 'messages': [], 'stream': False}).json(), {'done': True})
            equal((two.last()[2]['authorization'], two.last()[3]['model']), ('Bearer kk', 'z:1b'))
            for _ in range(12):
                admin.post('/ollama/api/chat', {'model': 'x:1b', 'messages': [], 'stream': False})
            check(one.last()[1] == '/api/chat' and [1 for _, p, _, b in two.seen if p == '/api/chat' and b'x:1b' in b], 'one server does it all')


@test('ollama: management goes to the server that is named, else to one that has the model')
def _(s):
    admin = s.admin()
    progress = (200, NDJSON, ['{"status": "a"}\n', '{"status": "b"}\n'])
    answers = {'GET /api/tags': tags('x:1b'), 'GET /api/ps': tags(), 'POST /api/pull': progress, 'DELETE /api/delete': (200, 'text/plain', ''),
               'POST /api/copy': (200, 'text/plain', ''), 'POST /api/push': progress, 'POST /api/create': progress}
    with Fake({**answers, 'GET /api/tags': tags('y:1b')}) as one, Fake(answers) as two, connections(s, [], None, [one.url, two.url]):
        admin.get('/ollama/api/tags')
        r = admin.post('/ollama/api/pull/1', {'name': 'x'})
        equal((r.status, r.headers['content-type'], r.text()), (200, NDJSON, '{"status": "a"}\n{"status": "b"}\n'))
        equal(two.last()[3], {'name': 'x', 'model': 'x', 'insecure': True})
        admin.post('/ollama/api/pull', {'model': 'x'})
        equal(one.last()[1], '/api/pull')
        equal(admin.delete('/ollama/api/delete', json_body={'model': 'x:1b'}).json(), True)
        equal(two.last(), ('DELETE', '/api/delete', two.last()[2], {'model': 'x:1b'}))
        equal(admin.post('/ollama/api/copy', {'source': 'x:1b', 'destination': 'z', 'more': 1}).json(), True)
        equal(two.last()[3], {'source': 'x:1b', 'destination': 'z'})
        admin.delete('/ollama/api/push', json_body={'model': 'x:1b', 'insecure': None})
        equal(two.last()[3], {'model': 'x:1b'})
        for path in ('pull/2', 'create/99', 'delete/-1', 'copy/2147483647'):
            method = 'DELETE' if path.startswith('delete') else 'POST'
            equal(admin.request(method, '/ollama/api/' + path, {'model': 'x', 'source': 'x', 'destination': 'y'}).status, 404, path)
        equal(admin.post('/ollama/api/pull?url_idx=7', {'model': 'x'}).status, 404)
        two.answers['DELETE /api/delete'] = (404, JSON, '{"error": "no such model"}')
        r = admin.delete('/ollama/api/delete', json_body={'model': 'x:1b'})
        equal((r.status, r.json()), (500, {'detail': 'Ollama: no such model'}))
        two.answers['POST /api/pull'] = (400, JSON, '{"error": "bad name"}')
        r = admin.post('/ollama/api/pull/1', {'model': 'x'})
        equal((r.status, r.json()), (400, {'detail': 'bad name'}))
        two.answers['POST /api/generate'] = (500, JSON, '{"error": "busy"}')
        r = admin.post('/ollama/api/unload', {'model': 'x:1b'})
        equal((r.status, r.json()['detail']), (500, "Failed to unload model on 1 nodes: [{'url_idx': 1, 'success': False, 'error': '500: busy'}]"))


@test('ollama: users reach no model that is not theirs, on no server')
def _(s):
    ann, admin = s.user('ann'), s.admin()
    answers = {'GET /api/ps': tags(), 'POST /api/chat': (200, JSON, '{"done": true}'), 'POST /api/generate': (200, JSON, '{"done": true}'), 'POST /api/show': (200, JSON, '{}'),
               'POST /api/embed': (200, JSON, '{}'), 'POST /api/embeddings': (200, JSON, '{}'), 'POST /v1/completions': (200, JSON, '{}'),
               'POST /v1/chat/completions': (200, JSON, '{}')}
    with Fake({**answers, 'GET /api/tags': tags('mine:1b', 'secret:1b')}) as one, Fake({**answers, 'GET /api/tags': tags('secret:1b')}) as two:
        with connections(s, [], None, [one.url, two.url, one.url], {'2': {'enable': False}}):
            admin.delete('/api/v1/models/model/delete?id=mine:1b')
            equal(admin.post('/api/v1/models/create', form('mine:1b', base_model_id=None, access_control=open_to(s, ann))).status, 200)
            equal([m['model'] for m in ann.get('/ollama/api/tags').json()['models']], ['mine:1b'])
            equal([m['model'] for m in ann.get('/ollama/api/tags/0').json()['models']], ['mine:1b'])
            equal(ann.get('/ollama/api/tags/1').json(), {'models': []})
            equal(ann.get('/ollama/api/tags/2').status, 404)
            equal([m['id'] for m in ann.get('/ollama/v1/models/0').json()['data']], ['mine:1b'])
            n = len(one.seen), len(two.seen)
            for path, more in (('api/chat', {'messages': []}), ('api/generate', {'prompt': 'x'}), ('api/embed', {'input': 'x'}), ('api/embeddings', {'prompt': 'x'}),
                               ('v1/completions', {'prompt': 'x'}), ('v1/chat/completions', {'messages': []})):
                for server in ('', '/0', '/1', '?url_idx=1', '?bypass_filter=true'):
                    for name in ('secret:1b', 'secret', 'any'):
                        r = ann.post(f'/ollama/{path}{server}', {'model': name, 'stream': False, **more})
                        check(r.status in (400, 403), f'{path}{server} {name}: {r}')
                equal(ann.post(f'/ollama/{path}/1', {'model': 'mine:1b', 'stream': False, **more}).status, 403, path + ' on a server that does not list it')
                check(ann.post(f'/ollama/{path}/2', {'model': 'mine:1b', 'stream': False, **more}).status in (403, 404), path + ' on a server that is off')
                equal(ann.post(f'/ollama/{path}', {'model': 'mine:1b', 'stream': False, **more}).status, 200, path)
                equal(ann.post(f'/ollama/{path}/0', {'model': 'mine:1b', 'stream': False, **more}).status, 200, path)
            check(not [1 for f, k in ((one, n[0]), (two, n[1])) for _, p, _, b in f.seen[k:] if b'secret' in b or b'any' in b], 'it got through')
            admin.delete('/api/v1/models/model/delete?id=mine:1b')


@test('ollama: chat with a model of the workspace; the form')
def _(s):
    ann, admin = s.user('ann'), s.admin()
    with Fake({'GET /api/tags': tags('b:latest'), 'GET /api/ps': tags(), 'POST /api/chat': (200, NDJSON, ['{"done": false}\n', '{"done": true}\n'])}) as f:
        with connections(s, [], None, [f.url]):
            admin.delete('/api/v1/models/model/delete?id=l-own')
            admin.post('/api/v1/models/create', form('l-own', base_model_id='b', access_control=open_to(s, ann),
                                                     params={'system': 'Hi {{USER_NAME}}', 'max_tokens': 5, 'think': True, 'stop': ['x']}))
            r = ann.post('/ollama/api/chat', {'model': 'l-own', 'messages': [{'role': 'user', 'content': 'u', 'images': ['AA'], 'unknown': 1}], 'options': {'seed': 1},
                                              'keep_alive': None, 'more': 2, 'metadata': {'a': 1}})
            equal((r.status, r.headers['content-type'], len(r.text().split())), (200, NDJSON, 4))
            equal(f.last()[3], {'model': 'b:latest', 'messages': [{'role': 'system', 'content': 'Hi ann'}, {'role': 'user', 'content': 'u', 'images': ['AA']}],
                                'options': {'seed': 1, 'num_predict': 5, 'stop': ['x']}, 'think': True, 'more': 2, 'stream': True})
            for wrong in ({'messages': 'x'}, {'messages': [1]}, {'messages': [{'content': 'x'}]}, {'messages': [{'role': 'user', 'content': 5}]}, {'messages': [], 'options': 5},
                          {'messages': [], 'stream': 'x'}, {'messages': [], 'tools': {}}):
                equal(admin.post('/ollama/api/chat', {'model': 'b', **wrong}).status, 400, str(wrong))
            admin.delete('/api/v1/models/model/delete?id=l-own')


if __name__ == '__main__':
    main()
