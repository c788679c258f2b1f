#!/usr/bin/env python3
"""/openai: connections, models, chat completions, and the way to any other path of the first provider."""
import glob, time

from harness import *
from providers import *

CHAT = '/openai/chat/completions'
HELLO = {'model': 'stub-small', 'messages': [{'role': 'user', 'content': 'hi'}]}
CONFIG = {'ENABLE_OPENAI_API': True, 'OPENAI_API_BASE_URLS': [], 'OPENAI_API_KEYS': [], 'OPENAI_API_CONFIGS': {}}
KEY = 'sk-test-key'


def same_config(s):
    return s.admin().get('/openai/config').json()


four_sides('openai: config', 'GET', '/openai/config', owner='admin')
four_sides('openai: verify', 'POST', '/openai/verify', {'url': 'http://127.0.0.1:9', 'key': ''}, wrong={'url': 'x'}, works=500, owner='admin')
four_sides('openai: models', 'GET', '/openai/models', other_status=None)
four_sides('openai: models of one', 'GET', '/openai/models/0', other_status=None)
four_sides('openai: models of one, by query', 'GET', '/openai/models?url_idx=0', other_status=None)
four_sides('openai: models of one that is not there, by query', 'GET', '/openai/models?url_idx=99', works=404, other_status=None)
four_sides('openai: models of one that is none', 'GET', '/openai/models/one', works=422, other_status=None)
four_sides('openai: chat', 'POST', CHAT, HELLO, wrong=[1], owner='admin', other_status=403)
four_sides('openai: speech', 'POST', '/openai/audio/speech', {'input': 'x'}, works=401, other_status=None)
for method in ('GET', 'POST', 'PUT', 'DELETE'):
    four_sides(f'openai: {method} of any path', method, '/openai/no/such/path', {'a': 1} if method in ('POST', 'PUT') else None, works=404, other_status=None)


@test('openai: config update: four sides')
def _(s):
    equal(s.anyone().post('/openai/config/update', CONFIG).status, 401)
    equal(s.user('bob').post('/openai/config/update', CONFIG).status, 401)
    equal(s.admin().post('/openai/config/update', {**CONFIG, 'OPENAI_API_KEYS': 'x'}).status, 422)
    was = same_config(s)
    try:
        r = s.admin().post('/openai/config/update', {**CONFIG, 'OPENAI_API_BASE_URLS': ['http://a', 'http://b'], 'OPENAI_API_KEYS': ['1'],
                                                     'OPENAI_API_CONFIGS': {'0': {'a': 1}, '1': {}, '2': {}, '01': {}, '-1': {}, 'http://a': {}}})
        equal(r.json(), {**CONFIG, 'OPENAI_API_BASE_URLS': ['http://a', 'http://b'], 'OPENAI_API_KEYS': ['1', ''], 'OPENAI_API_CONFIGS': {'0': {'a': 1}, '1': {}}})
        equal(same_config(s), r.json())
    finally:
        equal(s.admin().post('/openai/config/update', was).json(), was)


@test('openai: keys are for administrators, and for no log')
def _(s):
    with Fake({'GET /models': models('a')}) as f, connections(s, [f.url]):
        equal(s.admin().get('/openai/models').status, 200)
        equal(f.last()[2]['authorization'], 'Bearer ' + KEY)
        for path in ('/openai/models', '/openai/models/0', '/api/models', '/api/config', '/openai/config'):
            for who in (s.user('ann'), s.anyone()):
                check(KEY not in who.get(path).text(), path)
        s.admin().post('/openai/verify', {'url': 'http://127.0.0.1:9', 'key': KEY})
        s.admin().get('/openai/nowhere')
    for path in glob.glob(LOGS + '/server*.log'):
        check(KEY not in open(path, encoding='utf-8', errors='replace').read(), path)


@test('openai: verify says what is the matter')
def _(s):
    admin = s.admin()
    with Fake({'GET /models': models('a'), 'GET /text/models': (200, 'text/plain', 'fine'), 'GET /bad/models': (403, JSON, '{"error": {"message": "no"}}'),
               'GET /az/openai/models?api-version=2025-01-01': models('b')}) as f:
        equal(admin.post('/openai/verify', {'url': f.url, 'key': 'k'}).json()['data'], [{'id': 'a'}])
        equal(f.last()[2]['authorization'], 'Bearer k')
        equal(admin.post('/openai/verify', {'url': f.url + '/text', 'key': ''}).json(), 'fine')
        r = admin.post('/openai/verify', {'url': f.url + '/bad', 'key': 'k'})
        equal((r.status, r.json()), (403, {'error': {'message': 'no'}}))
        r = admin.post('/openai/verify', {'url': f.url + '/az', 'key': 'k', 'config': {'azure': True, 'api_version': '2025-01-01'}})
        equal((r.status, f.last()[2]['api-key']), (200, 'k'))
        equal(admin.post('/openai/verify', {'url': f.url, 'key': 'k', 'config': {'auth_type': 'none'}}).status, 200)
        check('authorization' not in f.last()[2], 'a key was sent')
    for url in ('ftp://127.0.0.1/', 'file:///etc/passwd', '', 'http://[::1', 'http://a\r\nb'):
        r = admin.post('/openai/verify', {'url': url, 'key': 'k'})
        equal((r.status, r.json()), (400, {'detail': 'This is not the address of a server'}), url)
    r = admin.post('/openai/verify', {'url': 'http://127.0.0.1:9', 'key': 'k'})
    equal((r.status, r.json()), (500, {'detail': 'Open WebUI: Server Connection Error'}))


@test('openai: connections out of range, and off')
def _(s):
    admin, ann = s.admin(), s.user('ann')
    for index in ('1', '-1', '99', '2147483647', '2147483648'):
        for who in (admin, ann):
            equal(who.get('/openai/models/' + index).status, 404, index)
    with Fake({'GET /models': models('a')}) as f, connections(s, [f.url], {'0': {'enable': False}}):
        equal(ann.get('/openai/models/0').status, 404)
        equal(admin.get('/openai/models/0').status, 200)
        n = len(f.seen)
        equal(ann.get('/openai/whatever').status, 404)
        equal(ann.post('/openai/whatever', {}).status, 404)
        equal(len(f.seen), n)
        admin.post('/openai/config/update', {**same_config(s), 'ENABLE_OPENAI_API': False})
        equal(admin.get('/openai/models').json(), {'data': []})
        equal(admin.get('/openai/models/0').status, 404)
        equal(ann.get('/openai/whatever').status, 404)


@test('openai: a connection\'s own errors')
def _(s):
    admin = s.admin()
    with Fake({'GET /models': (500, JSON, '{"error": {"message": "it\'s", "n": null, "b": true}}')}) as f, connections(s, [f.url]):
        r = admin.get('/openai/models/0')
        equal((r.status, r.json()['detail']), (500, '''Unexpected error: External Error: {'message': "it's", 'n': None, 'b': True}'''))
        f.answers['GET /models'] = (418, JSON, '{}')
        equal(admin.get('/openai/models/0').json()['detail'], 'Unexpected error: HTTP Error: 418')
        f.answers['GET /models'] = (200, 'text/html', '<p>')
        equal(admin.get('/openai/models/0').json()['detail'], 'Open WebUI: Server Connection Error')


# ---------------------------------------------------------------- chat

@test('openai: chat with a model of the workspace: its base, its parameters, its system prompt')
def _(s):
    ann = s.user('ann')
    with Fake({'GET /models': models('base'), 'POST /chat/completions': (200, JSON, '{"choices": []}')}) as f, connections(s, [f.url], {'0': {'prefix_id': 'p'}}):
        s.admin().post('/api/v1/models/create', form('o-fake', base_model_id='p.base', access_control=open_to(s, ann),
                                                     params={'system': 'You serve {{USER_NAME}} in {{CITY}}.', 'temperature': '0.5', 'stop': ['a\\nb']}))
        r = ann.post(CHAT, {'model': 'o-fake', 'messages': [{'role': 'user', 'content': 'hi'}], 'max_completion_tokens': 5,
                            'metadata': {'variables': {'{{CITY}}': 'Oslo'}, 'secret': 1}})
        equal((r.status, r.json()), (200, {'choices': []}))
        equal(f.last()[3], {'model': 'base', 'messages': [{'role': 'system', 'content': 'You serve ann in Oslo.'}, {'role': 'user', 'content': 'hi'}],
                            'max_tokens': 5, 'temperature': 0.5, 'stop': ['a\nb']})
        equal(s.user('bob').post(CHAT, {'model': 'o-fake', 'messages': []}).status, 403)
        equal(ann.post(CHAT + '?bypass_filter=true', {'model': 'p.base', 'messages': []}).status, 403)
        equal(ann.post(CHAT, {'model': 'p.base', 'messages': [], 'bypass_filter': True}).status, 403)
        equal(ann.post(CHAT, {'model': 'base', 'messages': []}).status, 403)
        equal(s.admin().post(CHAT, {'model': 'stub-ollama:latest', 'messages': []}).status, 404)
        equal(s.admin().post(CHAT, {'model': 'arena-model', 'messages': []}).status, 404)
        equal(s.admin().post(CHAT, {'model': {'a': 1}, 'messages': 'x'}).status, 404)
        s.admin().delete('/api/v1/models/model/delete?id=o-fake')


@test('openai: a stream comes as it is made, and ends the provider\'s when the client leaves')
def _(s):
    pieces = [f'data: {{"n": {i}}}\n\n' for i in range(8)] + ['data: [DONE]\n\n']
    with Fake({'GET /models': models('a'), 'POST /chat/completions': (200, 'text/event-stream', pieces)}, pause=0.25) as f, connections(s, [f.url]):
        start, lines = time.monotonic(), [(at, line) for at, line in s.admin().lines('POST', CHAT, {'model': 'a', 'messages': [], 'stream': True}) if line]
        check(lines[0][0] - start < 1.2, f'the first word came after {lines[0][0] - start:.1f} s')
        check(lines[-1][0] - lines[0][0] > 1.5, 'all came at once')
        equal([line for _, line in lines], [p.strip() for p in pieces])
        f.answers['POST /chat/completions'] = (200, 'text/event-stream', ['data: {"n": 0}\n\n'] * 40)
        stream = s.admin().lines('POST', CHAT, {'model': 'a', 'messages': [], 'stream': True})
        next(stream)
        stream.close()
        check(f.left_early.wait(5), 'the provider goes on')


@test('openai: what goes wrong in a chat')
def _(s):
    admin = s.admin()
    with Fake({'GET /models': models('a')}) as f, connections(s, [f.url]):
        for stream in (False, True):
            ask = {'model': 'a', 'messages': [], 'stream': stream}
            f.answers['POST /chat/completions'] = (429, JSON, '{"error": {"message": "slow down"}}')
            r = admin.post(CHAT, ask)
            equal((r.status, r.json()), (429, {'error': {'message': 'slow down'}}))
            f.answers['POST /chat/completions'] = (502, 'text/html', '<script>alert(1)</script>')
            r = admin.post(CHAT, ask)
            equal((r.status, r.headers['content-type'].split(';')[0]), (502, 'text/plain'))
        f.answers['POST /chat/completions'] = (200, 'text/html', '<script>alert(1)</script>')
        r = admin.post(CHAT, {'model': 'a', 'messages': []})
        equal((r.status, r.json()), (200, '<script>alert(1)</script>'))
        r = admin.post(CHAT, {'model': 'a', 'messages': [], 'stream': True})
        check(r.headers.get('x-content-type-options') == 'nosniff' and 'sandbox' in r.headers.get('content-security-policy', ''), 'runs in our origin')
    with Fake({'GET /models': models('a')}) as gone:
        with connections(s, [gone.url]):
            equal(admin.get('/openai/models').status, 200)
            gone.__exit__()
            for stream in (False, True):
                r = admin.post(CHAT, {'model': 'a', 'messages': [], 'stream': stream})
                check(r.status in (404, 500) and 'detail' in r.json(), r)


@test('openai: Azure, and other ways to say who one is')
def _(s):
    admin = s.admin()
    with Fake({'POST /openai/deployments/gpt-4/chat/completions?api-version=2025-01-01': (200, JSON, '{}'), 'POST /chat/completions': (200, JSON, '{}'),
               'GET /models': models('a')}) as f:
        with connections(s, [f.url], {'0': {'azure': True, 'api_version': '2025-01-01', 'model_ids': ['gpt-4']}}):
            equal(admin.post(CHAT, {'model': 'gpt-4', 'messages': [], 'top_k': 4, 'seed': 1}).status, 200)
            equal((f.last()[2]['api-key'], f.last()[3]), (KEY, {'messages': [], 'seed': 1}))
            equal(admin.get('/openai/models/0').json(), {'data': ['gpt-4'], 'object': 'list'})
        for auth, want in (('bearer', 'Bearer ' + KEY), ('none', None), ('session', 'Bearer ' + admin.token), ('system_oauth', None), ('azure_ad', None)):
            with connections(s, [f.url], {'0': {'auth_type': auth}}):
                equal(admin.post(CHAT, {'model': 'a', 'messages': []}).status, 200)
                equal(f.last()[2].get('authorization'), want, auth)


# ---------------------------------------------------------------- any other path

@test('openai: any other path of the first provider, and of no other')
def _(s):
    ann = s.user('ann')
    with Fake({'GET /models': models('a'), 'POST /v1/deep/path': (201, JSON, '{"ok": 1}'), 'PUT /v1/x': (200, 'text/plain', 'text'), 'DELETE /v1/x': (409, JSON, '{"e": 1}'),
               'GET /v1/a%20b%3Fc/d:e': (200, JSON, '[]'), 'GET /v1/html': (200, 'text/html', '<b>')}) as f, Fake({}) as other:
        with connections(s, [f.url + '/v1', other.url]):
            r = ann.post('/openai/deep/path', {'x': [1.5, None]})
            equal((r.status, r.json(), f.last()[3]), (200, {'ok': 1}, {'x': [1.5, None]}))
            equal(f.last()[2]['authorization'], 'Bearer ' + KEY)
            equal(ann.request('PUT', '/openai/x', {'a': 1}).json(), 'text')
            r = ann.delete('/openai/x')
            equal((r.status, r.json()), (409, {'e': 1}))
            equal(ann.get('/openai/a%20b%3Fc/d:e?query=is+left+out').json(), [])
            equal(ann.get('/openai/html').headers['content-type'], JSON)
            for name in ('cookie', 'x-forwarded-for', 'user-agent'):
                check(name not in f.last()[2] or name == 'user-agent', name)
            check(not [p for _, p, _, _ in other.seen if p != '/models'], other.seen)


@test('openai: no path leads up at the provider')
def _(s):
    ann = s.user('ann')
    with Fake({'GET /models': models('a')}) as f, connections(s, [f.url + '/v1/deep']):
        ann.get('/openai/models')
        n = len(f.seen)
        for path in ('%2e%2e/x', '%2E%2E%2Fx', '..%2fx', '..%5cx', '%252e%252e/x', '%252e%252e%252fx', '%25252e%25252e%25252f', 'a/%2e%2e/%2e%2e/x', 'a/..;/x', '..;/x', '.%2e/x',
                     '%2e/%2e%2e/x', 'x%00y', 'x%0d%0aHost:%20y', '%c0%ae%c0%ae/x', 'a%5c..%5c..%5cx', '%2e%2e%3bx/y'):
            r = ann.get('/openai/' + path)
            check(r.status in (400, 404) or b'frontend' in r.body or b'<!doctype' in r.body.lower(), f'{path}: {r}')
        for method, path, _, _ in f.seen[n:]:
            check(path.startswith('/v1/deep/') and '..' not in path and '%2e' not in path.lower().replace('%252e', ''), path)


@test('openai: a model that one may not use is not to be had by another path')
def _(s):
    ann, admin = s.user('ann'), s.admin()
    with Fake({'GET /models': models('secret', 'open')} | {'POST ' + p: (200, JSON, '{"got": 1}') for p in ('/completions', '/chat/completions/', '/responses', '/embeddings')}) as f:
        with connections(s, [f.url], {'0': {'prefix_id': 'p'}}):
            admin.post('/api/v1/models/create', form('p.open', base_model_id=None, access_control=open_to(s, ann)))
            n = len(f.seen)
            for path in ('completions', 'chat/completions/', 'responses', 'embeddings'):
                for name in ('secret', 'p.secret'):
                    equal(ann.post('/openai/' + path, {'model': name}).status, 403, f'{path} {name}')
            twice = b'{"model": "open", "model": "secret"}'
            for body, kind in ((twice, JSON), (b'{"model": "\\u0073ecret"}', JSON), (b'{"model": "secret"}', 'text/plain'), (b'{"model": NaN, "model": "secret"}', JSON),
                               (b'model=secret', 'application/x-www-form-urlencoded'), (b'\xef\xbb\xbf{"model": "secret"}', JSON)):
                check(ann.request('POST', '/openai/completions', body=body, headers={'Content-Type': kind}).status in (400, 403), body)
            check(not [1 for _, p, _, b in f.seen[n:] if b'secret' in b], f.seen[n:])
            equal(ann.post('/openai/completions', {'model': 'open'}).json(), {'got': 1})
            equal(ann.post('/openai/embeddings', {'model': 'not-in-our-list'}).json(), {'got': 1})
            equal(admin.post('/openai/completions', {'model': 'secret'}).json(), {'got': 1})
            admin.delete('/api/v1/models/model/delete?id=p.open')


if __name__ == '__main__':
    main()
