#!/usr/bin/env python3
"""What the web server's configuration promises: which path goes where, how files are cached, what no client may say, nothing buffered."""
import base64, glob, gzip, os, socket, sys, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import check, equal, main, test

BROWSER = {'Accept-Encoding': 'gzip, deflate'}


def file_of(s, pattern):
    """Path of a file of the frontend, as a URL has it, and its bytes."""
    root = s.env['WEBUI_FRONTEND_DIR']
    paths = sorted(p for p in glob.glob(os.path.join(root, pattern), recursive=True) if os.path.getsize(p) > 1024)
    with open(paths[0], 'rb') as f:
        return '/' + os.path.relpath(paths[0], root), f.read()


def index(s):
    with open(os.path.join(s.env['WEBUI_FRONTEND_DIR'], 'index.html'), 'rb') as f:
        return f.read()


@test('every path of the application is a page, asked for each time')
def _(s):
    for path in ('/', '/index.html', '/c/0b1c', '/auth', '/s/abc', '/admin/users/overview', '/workspace/models/edit?id=a.b', '/static', '/healthz', '/api',
                 '/internalx', '/?shared=1', '/watch'):
        r = s.anyone().get(path)
        equal((r.status, r.body), (200, index(s)), path)
        check(r.headers['content-type'].startswith('text/html'), path)
        equal(r.headers.get('cache-control'), 'no-cache', path)
        equal(s.anyone().get(path, headers={'If-None-Match': r.headers['etag']}).status, 304, path)


@test('a missing part of the application is 404, not a page')
def _(s):
    for path in ('/_app/nope.js', '/_app/nope', '/_app/immutable/nope.css', '/x.js', '/c/x.js', '/static/nope.png'):
        equal(s.anyone().get(path).status, 404, path)


@test('steps between the programs cannot be reached')
def _(s):
    for path in ('/internal/step/finish', '/internal', '/%69nternal/step/finish', '/api/../internal/session', '/api/v1/%2e%2e/%2e%2e/internal/session',
                 '/api/..%2finternal/session', '/ws/../internal/session', '/ws/..%2finternal/session', '//internal/session',
                 '/api/chat/completions/../../../internal/session'):
        for method in ('GET', 'POST'):
            r = s.admin().request(method, path, {'token': s.admin().token} if method == 'POST' else None)
            check(r.status in (400, 403, 404, 405) or r.body == index(s), f'{method} {path}: {r}')
            check(b'"role"' not in r.body, f'{method} {path}: {r}')


@test('files below immutable/ are kept for a year, and come compressed')
def _(s):
    path, content = file_of(s, '_app/immutable/**/*.js')
    r = s.anyone().get(path)
    equal((r.status, r.body, r.headers.get('cache-control')), (200, content, 'public, max-age=31536000, immutable'))
    r = s.anyone().get(path, headers=BROWSER)
    equal((r.headers.get('content-encoding'), gzip.decompress(r.body)), ('gzip', content))
    check('accept-encoding' in r.headers.get('vary', '').lower(), 'Vary')
    equal(s.anyone().get(path, headers={**BROWSER, 'If-None-Match': r.headers['etag']}).status, 304)
    r = s.anyone().get(path, headers={'Range': 'bytes=3-9'})
    equal((r.status, r.body), (206, content[3:10]))


@test('the version is asked for each time')
def _(s):
    equal(s.anyone().get('/_app/version.json').headers.get('cache-control'), 'no-cache')


@test('types of files')
def _(s):
    for pattern, kind in (('**/*.wasm', 'application/wasm'), ('**/*.mjs', 'text/javascript'), ('static/*.webmanifest', 'application/manifest+json'),
                          ('static/*.png', 'image/png'), ('_app/**/*.js', 'text/javascript')):
        root = s.env['WEBUI_FRONTEND_DIR']
        path = sorted(glob.glob(os.path.join(root, pattern), recursive=True))[0]
        r = s.anyone().request('HEAD', '/' + os.path.relpath(path, root))
        check(r.headers.get('content-type', '').startswith(kind), f'{path}: {r.headers}')


@test('nothing outside the frontend is a file')
def _(s):
    for path in ('/../webui.db', '/..%2fwebui.db', '/static/../../webui.db', '/%2e%2e/.webui_secret_key', '/.env', '/run/responder.sock'):
        r = s.anyone().get(path)
        check(r.status in (400, 403, 404) or r.body == index(s), f'{path}: {r}')


@test('a shared video becomes a parameter of the page')
def _(s):
    r = s.anyone().get('/watch?a=b&v=abc&x=1')
    equal(r.status, 307)
    check(r.headers['location'].endswith('/?youtube=abc'), r.headers['location'])


@test('responder and sidecar answer at their paths')
def _(s):
    equal(s.anyone().get('/health').json(), {'status': True})
    equal(s.anyone().get('/health/db').json(), {'status': True})
    check('version' in s.anyone().get('/api/config').json())
    check('name' in s.anyone().get('/manifest.json').json())
    check(s.anyone().get('/ws/socket.io/?EIO=4&transport=polling').body.startswith(b'0{'), 'no Engine.IO handshake')
    equal(s.anyone().get('/api/v1/auths/').status, 401)


@test('the Authorization header arrives')
def _(s):
    equal(s.user('ann').get('/api/v1/auths/').json()['email'], 'ann@test.test')


@test('a WebSocket is opened')
def _(s):
    key = base64.b64encode(os.urandom(16)).decode()
    with socket.create_connection(('127.0.0.1', s.port), 10) as c:
        c.sendall(f'GET /ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{s.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                  f'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n'.encode())
        c.settimeout(10)
        got = b''
        while b'"sid"' not in got:
            more = c.recv(4096)
            check(more, f'closed after {got!r}')
            got += more
        check(got.startswith(b'HTTP/1.1 101 '), got[:100])


@test('a stream comes word by word')
def _(s):
    s.admin()
    body = {'model': 'stub-slow', 'stream': True, 'messages': [{'role': 'user', 'content': 'Hello'}]}
    times = [at for at, line in s.admin().lines('POST', '/api/chat/completions', body) if line.startswith('data:')]
    check(len(times) > 5, f'{len(times)} events')
    check(times[-1] - times[0] > 0.5 * (len(times) - 1) * 0.05, f'{len(times)} events within {times[-1] - times[0]:.2f} s')
    check(max(b - a for a, b in zip(times, times[1:])) < 0.7 * (times[-1] - times[0]), 'all at once')


@test('a body of 60 MB arrives, one of 110 MB is refused')
def _(s):
    def send(megabytes):
        return s.anyone().post('/api/v1/auths/signin', {'email': 'x' * (megabytes << 20), 'password': 'x'})
    r = send(60)
    check(400 <= r.status < 500 and r.status != 413 and 'detail' in r.json(), f'60 MB: {r}')
    try:
        equal(send(110).status, 413)
    except (BrokenPipeError, ConnectionResetError):
        pass        # refused before all of it was sent


@test('slow uploads do not keep others waiting')
def _(s):
    if s.web_server == 'apache':
        return      # mod_proxy_fcgi cannot: docs/deploy.md
    slow = []
    for _ in range(24):
        c = socket.create_connection(('127.0.0.1', s.port))
        c.sendall(b'POST /api/v1/auths/signin HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"email":')
        slow.append(c)
    time.sleep(0.5)
    begin = time.monotonic()
    r = s.anyone().get('/health', timeout=10)
    took = time.monotonic() - begin
    for c in slow:
        c.close()
    equal(r.status, 200)
    check(took < 1, f'{took:.1f} s')


@test('forty open polls do not keep others waiting')
def _(s):
    polls = []
    for _ in range(40):
        sid = s.anyone().get('/ws/socket.io/?EIO=4&transport=polling').text().split('"sid":"')[1].split('"')[0]
        c = socket.create_connection(('127.0.0.1', s.port))
        c.sendall(f'GET /ws/socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
        polls.append(c)
    begin = time.monotonic()
    equal(s.anyone().get('/health', timeout=10).status, 200)
    took = time.monotonic() - begin
    for c in polls:
        c.close()
    check(took < 1, f'{took:.1f} s')


@test('a line break in the query is handed on')
def _(s):
    ann = s.user('ann')
    chat = {'title': 'Lines', 'messages': [{'role': 'user', 'content': 'one\ntwo'}]}
    equal(ann.post('/api/v1/chats/new', {'chat': chat}).status, 200)
    r = ann.get('/api/v1/chats/search?text=one%0Atwo')
    check(r.status == 200 and [c['title'] for c in r.json()] == ['Lines'], r)
    r = ann.get('/api/v1/chats/search?text=one%00two')
    check(r.status in (200, 400, 422), r)


if __name__ == '__main__':
    main()
