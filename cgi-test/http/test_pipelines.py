#!/usr/bin/env python3
"""/api/v1/pipelines: what is passed on to servers of pipelines, and what comes back."""
from harness import *
from providers import *

P = '/api/v1/pipelines/'
JSON = 'application/json'
ANSWERS = {
    'GET /models': (200, JSON, '{"data": [{"id": "p1", "pipeline": {"type": "pipe"}}], "pipelines": true, "object": "list"}'),
    'GET /pipelines': (200, JSON, '{"data": [{"id": "p1", "name": "One", "valves": true}]}'),
    'POST /pipelines/add': (200, JSON, '{"status": true, "detail": "added"}'),
    'POST /pipelines/upload': (200, JSON, '{"status": true}'),
    'DELETE /pipelines/delete': (404, JSON, '{"detail": "Pipeline x not found"}'),
    'GET /p1/valves': (200, JSON, '{"key": "v"}'),
    'GET /p1/valves/spec': (200, JSON, '{"properties": {}}'),
    'POST /p1/valves/update': (422, JSON, '{"detail": [{"msg": "wrong"}]}'),
    'GET /numbers/valves': (200, JSON, '[1]'),
    'GET /html/valves': (500, 'text/html', '<h1>no</h1>'),
}
server = Fake(ANSWERS)

four_sides('pipelines: servers', 'GET', P + 'list', owner='admin')
four_sides('pipelines: all of a server', 'GET', P + '?urlIdx=0', works=404, owner='admin')
four_sides('pipelines: add', 'POST', P + 'add', {'url': 'x', 'urlIdx': 0}, wrong={'url': 'x'}, works=404, owner='admin')
four_sides('pipelines: delete', 'DELETE', P + 'delete', {'id': 'x', 'urlIdx': 0}, wrong={'id': 'x'}, works=404, owner='admin')
four_sides('pipelines: upload without a file', 'POST', P + 'upload', works=422, owner='admin')
four_sides('pipelines: valves', 'GET', P + 'p1/valves?urlIdx=0', works=404, owner='admin')
four_sides('pipelines: schema of valves', 'GET', P + 'p1/valves/spec?urlIdx=0', works=404, owner='admin')
four_sides('pipelines: set valves', 'POST', P + 'p1/valves/update?urlIdx=0', {'a': 1}, wrong=[1], works=404, owner='admin')


def connect(s):
    """A server of pipelines as the second connection; returns its index."""
    urls = [s.stub.url + '/v1', server.url]
    equal(s.admin().post('/openai/config/update', {'ENABLE_OPENAI_API': True, 'OPENAI_API_BASE_URLS': urls, 'OPENAI_API_KEYS': ['sk-stub', 'key-2'],
                                                   'OPENAI_API_CONFIGS': {}}).status, 200)
    return 1


def upload(s, index, name='p.py', content=b'x = 1\n'):
    return s.admin().upload(P + 'upload', name, content, 'text/x-python', urlIdx=index)


@test('pipelines: which connections are servers of them')
def _(s):
    equal(s.admin().get(P + 'list').json(), {'data': []})
    index = connect(s)
    equal(s.admin().get(P + 'list').json(), {'data': [{'url': server.url, 'idx': index}]})


@test('pipelines: what is asked goes on with the key of the connection, and comes back')
def _(s):
    connect(s)
    equal(s.admin().get(P + '?urlIdx=1').json(), {'data': [{'id': 'p1', 'name': 'One', 'valves': True}]})
    equal(server.seen[-1][2]['authorization'], 'Bearer key-2')
    equal(s.admin().post(P + 'add', {'url': 'http://x/p.py', 'urlIdx': 1}).json(), {'status': True, 'detail': 'added'})
    equal((server.last()[1], server.last()[3]), ('/pipelines/add', {'url': 'http://x/p.py'}))
    equal(s.admin().get(P + 'p1/valves?urlIdx=1').json(), {'key': 'v'})
    equal(s.admin().get(P + 'p1/valves/spec?urlIdx=1').json(), {'properties': {}})


@test('pipelines: errors keep their status and detail')
def _(s):
    connect(s)
    r = s.admin().request('DELETE', P + 'delete', {'id': 'x', 'urlIdx': 1})
    equal((r.status, r.json()['detail']), (404, 'Pipeline x not found'))
    equal(server.last()[3], {'id': 'x'})
    r = s.admin().post(P + 'p1/valves/update?urlIdx=1', {'a': 1})
    equal((r.status, r.json()['detail']), (422, [{'msg': 'wrong'}]))
    equal(server.last()[3], {'a': 1})
    r = s.admin().get(P + 'html/valves?urlIdx=1')
    equal((r.status, r.json()['detail']), (500, 'Pipeline not found'))
    equal(s.admin().get(P + 'numbers/valves?urlIdx=1').status, 502)


@test('pipelines: a source is uploaded')
def _(s):
    connect(s)
    r = upload(s, 1, 'sub/my p.py', 'ü = 1\n'.encode())
    equal((r.status, r.json()), (200, {'status': True}), r.text())
    _, path, headers, body = server.seen[-1]
    equal((path, headers['content-type'].split(';')[0]), ('/pipelines/upload', 'multipart/form-data'))
    check(b'name="file"; filename="my p.py"' in body and 'ü = 1\n'.encode() in body, body)
    for name in ('p.txt', 'p.py.exe', ''):
        equal(upload(s, 1, name).status, 400, name)
    equal(upload(s, 7).status, 404)


@test('pipelines: no other address is asked')
def _(s):
    connect(s)
    before = len(server.seen)
    for path in ('../valves?urlIdx=1', '%2e%2e/valves?urlIdx=1', 'p1/valves?urlIdx=-1', 'p1/valves?urlIdx=2', 'p1/valves?urlIdx=99999999999'):
        check(s.admin().get(P + path).status in (400, 404), path)      # a web server may refuse to climb by itself
    equal(len(server.seen), before)


if __name__ == '__main__':
    main()
