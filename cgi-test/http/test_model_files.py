#!/usr/bin/env python3
"""/ollama/models: model files from elsewhere, and from an administrator, on their way to an Ollama server."""
import contextlib, glob, hashlib, http.server, os, threading, time

from harness import *
from providers import *

DOWNLOAD, UPLOAD = '/ollama/models/download', '/ollama/models/upload'
MODEL = os.urandom(1 << 20) * 3 + b'end'
DIGEST = 'sha256:' + hashlib.sha256(MODEL).hexdigest()


class Site:
    """Where model files are: /m.gguf (with Range), /old.gguf (without), /moved (to /m.gguf), /inside (to a private name), /loop, /cut (breaks off half way)."""

    def __init__(self):
        self.seen, self.pause, self.cut_at, site = [], 0, None, self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                path, wanted = self.path.split('?')[0], self.headers.get('Range')
                site.seen.append((path, wanted, dict(self.headers)))
                first = int(wanted[6:].split('-')[0]) if wanted and path != '/old.gguf' else 0
                if path in ('/moved', '/loop', '/inside'):
                    self.send_response(302)
                    self.send_header('Location', {'/moved': '/m.gguf?sign=x', '/loop': '/loop', '/inside': 'file:///etc/passwd'}[path])
                    self.send_header('Content-Length', '0')
                    return self.end_headers()
                if path == '/missing':
                    return self.send_error(404)
                if first >= len(MODEL):
                    self.send_response(416)
                    self.send_header('Content-Length', '0')
                    return self.end_headers()
                self.send_response(206 if first else 200)
                if first:
                    self.send_header('Content-Range', f'bytes {first}-{len(MODEL) - 1}/{len(MODEL)}')
                self.send_header('Content-Length', str(len(MODEL) - first))
                self.end_headers()
                end, at = site.cut_at if path == '/cut' and site.cut_at else len(MODEL), first
                while at < end:
                    time.sleep(site.pause)
                    self.wfile.write(MODEL[at:min(at + (1 << 18), end)])
                    at += 1 << 18
                self.close_connection = True

            def log_message(self, *_):
                pass

        class Threads(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Threads(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


SITE = Site()


@contextlib.contextmanager
def ollama(s, blob=(201, 'text/plain', ''), create=(200, JSON, '{"status": "success"}')):
    with Fake({f'POST /api/blobs/{DIGEST}': blob, 'POST /api/create': create, 'GET /api/tags': tags()}) as f, connections(s, [], None, [f.url], {'0': {'key': 'ollama-key'}}):
        yield f


def events(s, path, body):
    return [json.loads(line[6:]) for _, line in s.admin().lines('POST', path, body, 120) if line.startswith('data: ')]


def left(s):
    return [os.path.basename(f) for f in glob.glob(s.data + '/uploads/*.part')]


four_sides('model files: download from anywhere', 'POST', DOWNLOAD, {'url': 'http://127.0.0.1/x'}, wrong={}, works=400, owner='admin')
four_sides('model files: download for a server', 'POST', DOWNLOAD + '/0', {'url': 'http://127.0.0.1/x'}, wrong={'url': 5}, works=400, owner='admin')


@test('model files: upload: four sides')
def _(s):
    equal(s.anyone().upload(UPLOAD, 'm.gguf', b'x').status, 401)
    equal(s.user('bob').upload(UPLOAD, 'm.gguf', b'x').status, 401)
    equal(s.admin().post(UPLOAD, {}).status, 422)
    equal(s.admin().upload(UPLOAD + '/7', 'm.gguf', b'x').status, 404)
    equal(s.admin().upload(UPLOAD + '/x', 'm.gguf', b'x').status, 422)


@test('model files: fetched, told about, handed over whole')
def _(s):
    SITE.pause, SITE.seen = 0.2, []
    with ollama(s) as f:
        got = events(s, DOWNLOAD, {'url': SITE.url + '/m.gguf?download=true'})
        equal(got[-1], {'done': True, 'blob': DIGEST, 'name': 'm.gguf'})
        check(len(got) > 2 and all(set(e) == {'progress', 'completed', 'total'} for e in got[:-1]), got[:3])
        check([e['completed'] for e in got[:-1]] == sorted(e['completed'] for e in got[:-1]) and got[-2]['total'] == len(MODEL), got[:-1])
        method, path, headers, body = f.seen[-1]
        equal((method, path, headers['authorization'], hashlib.sha256(body).hexdigest()), ('POST', f'/api/blobs/{DIGEST}', 'Bearer ollama-key', DIGEST[7:]))
        check('Authorization' not in SITE.seen[0][2] and 'Cookie' not in SITE.seen[0][2], SITE.seen[0])
        SITE.pause = 0
        equal(events(s, DOWNLOAD + '/0', {'url': SITE.url + '/moved'})[-1]['done'], True)
        equal(events(s, DOWNLOAD, {'url': SITE.url + '/old.gguf'})[-1]['name'], 'old.gguf')
        equal(s.admin().post(DOWNLOAD + '/3', {'url': SITE.url + '/m.gguf'}).status, 404)
    equal(left(s), [])


@test('model files: what broke off goes on where it ended')
def _(s):
    with ollama(s) as f:
        SITE.cut_at = 1 << 20
        got = events(s, DOWNLOAD, {'url': SITE.url + '/cut'})
        check('could not fetch cut' in got[-1]['error'], got)
        check(not [1 for m, p, _, _ in f.seen if 'blobs' in p], 'half a file was handed over')
        equal([os.path.getsize(s.data + '/uploads/' + name) for name in left(s)], [1 << 20])
        SITE.cut_at, SITE.seen = None, []
        equal(events(s, DOWNLOAD, {'url': SITE.url + '/cut'})[-1]['blob'], DIGEST)
        equal(SITE.seen[0][1], f'bytes={1 << 20}-')
        equal(left(s), [])
        f.answers[f'POST /api/blobs/{DIGEST}'] = (500, 'text/plain', 'no room')
        equal(events(s, DOWNLOAD, {'url': SITE.url + '/m.gguf'})[-1], {'error': 'Ollama: Could not create blob, Please try again.'})
        f.answers[f'POST /api/blobs/{DIGEST}'] = (200, 'text/plain', '')
        SITE.seen = []
        equal(events(s, DOWNLOAD, {'url': SITE.url + '/m.gguf'})[-1]['done'], True)
        equal(SITE.seen[0][1], f'bytes={len(MODEL)}-', 'it is fetched again')


@test('model files: what goes wrong is told')
def _(s):
    with ollama(s):
        for path in ('/missing', '/loop', '/inside'):
            got = events(s, DOWNLOAD, {'url': SITE.url + path})
            check('could not fetch' in got[-1]['error'] and 'root:' not in str(got), f'{path}: {got}')
        equal(s.admin().post(DOWNLOAD, {'url': SITE.url + '/'}).json(), None)
        for url in ('https://huggingface.co.evil.test/x', 'ftp://huggingface.co/x', SITE.url.replace('127.0.0.1', 'localhost') + '/m.gguf', 'https://example.test/m.gguf', ''):
            equal(s.admin().post(DOWNLOAD, {'url': url}).json(), {'detail': 'Invalid file_url. Only URLs from allowed hosts are permitted.'}, url)


@test('model files: no private address, be the source allowed or not')
def _(s):
    with Server(s.web_server, stub=s.stub, env={'WEBUI_MODEL_SOURCES': SITE.url + '/', 'ENABLE_RAG_LOCAL_WEB_FETCH': 'false'}) as other:
        SITE.seen = []
        check('could not fetch' in events(other, DOWNLOAD, {'url': SITE.url + '/m.gguf'})[-1]['error'], 'fetched')
        equal(SITE.seen, [])


@test('model files: by default they come from Hugging Face and GitHub')
def _(s):
    with Server(s.web_server, stub=s.stub, env={'ENABLE_RAG_LOCAL_WEB_FETCH': 'true', 'WEBUI_MODEL_SOURCES': None}) as other:
        equal(other.admin().post(DOWNLOAD, {'url': SITE.url + '/m.gguf'}).status, 400)
        equal(other.admin().post(DOWNLOAD + '/9', {'url': 'https://huggingface.co/x/y.gguf'}).status, 404)


@test('model files: an upload becomes a model')
def _(s):
    with ollama(s) as f:
        r = s.admin().upload(UPLOAD, '../../my.model.gguf', MODEL, 'application/octet-stream')
        got = [json.loads(line[6:]) for line in r.text().split('\n') if line.startswith('data: ')]
        equal((r.status, r.headers['content-type'].split(';')[0]), (200, 'text/event-stream'))
        equal(got[-1], {'done': True, 'blob': DIGEST, 'name': 'my.model.gguf', 'model_created': 'my.model'})
        equal(f.last()[3], {'model': 'my.model', 'files': {'my.model.gguf': DIGEST}})
        f.answers['POST /api/create'] = (400, JSON, '{"error": "no such architecture"}')
        r = s.admin().upload(UPLOAD + '/0', 'm.gguf', MODEL)
        equal(json.loads(r.text().strip().split('\n')[-1][6:]), {'error': 'Failed to create model in Ollama. {"error": "no such architecture"}'})
    equal(left(s), [])


if __name__ == '__main__':
    main({'ENABLE_RAG_LOCAL_WEB_FETCH': 'true', 'WEBUI_MODEL_SOURCES': SITE.url + '/,https://huggingface.co/'})
