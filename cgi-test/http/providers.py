"""Providers for tests: a scripted one that remembers what it was asked, and one that accepts and never answers; connections to them, models over
theirs."""
import contextlib, http.server, json, socket, threading, time

from harness import equal


class Fake:
    """answers: {"METHOD /path": (status, content type, body)}; body may be a list of pieces, sent `pause` seconds apart. A path that is not there
    gives 404. seen: (method, path, headers, body) of each request."""

    def __init__(self, answers, pause=0.2):
        self.answers, self.pause, self.seen, self.left_early = answers, pause, [], threading.Event()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def answer(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                fake.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status, kind, answer = fake.answers.get(f'{self.command} {self.path}', (404, 'text/plain', '404 page not found\n'))
                pieces = answer if isinstance(answer, list) else [answer]
                self.send_response(status)
                self.send_header('Content-Type', kind)
                self.send_header('Connection', 'close')
                self.end_headers()
                try:
                    for i, piece in enumerate(pieces):
                        if i:
                            time.sleep(fake.pause)
                        self.wfile.write(piece if isinstance(piece, bytes) else piece.encode())
                        self.wfile.flush()
                except OSError:
                    fake.left_early.set()
                self.close_connection = True

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        class Threads(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Threads(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def last(self):
        method, path, headers, body = self.seen[-1]
        return method, path, headers, json.loads(body) if body else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Dead:
    """A port that accepts and never answers."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(('127.0.0.1', 0))
        self.socket.listen(64)
        self.url = f'http://127.0.0.1:{self.socket.getsockname()[1]}'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


JSON = 'application/json'


def models(*ids):
    return 200, JSON, json.dumps({'object': 'list', 'data': [{'id': i} for i in ids]})


def tags(*ids):
    return 200, JSON, json.dumps({'models': [{'name': i, 'model': i} for i in ids]})


@contextlib.contextmanager
def connections(s, openai, configs=None, ollama=None, ollama_configs=None):
    """Other providers for a while."""
    admin = s.admin()
    before = admin.get('/openai/config').json(), admin.get('/ollama/config').json()
    try:
        r = admin.post('/openai/config/update', {'ENABLE_OPENAI_API': True, 'OPENAI_API_BASE_URLS': openai, 'OPENAI_API_KEYS': ['sk-test-key'] * len(openai),
                                                 'OPENAI_API_CONFIGS': configs or {}})
        equal(r.status, 200, r.text())
        r = admin.post('/ollama/config/update', {'ENABLE_OLLAMA_API': True, 'OLLAMA_BASE_URLS': ollama or [], 'OLLAMA_API_CONFIGS': ollama_configs or {}})
        equal(r.status, 200, r.text())
        yield
    finally:
        admin.post('/openai/config/update', before[0])
        admin.post('/ollama/config/update', before[1])
        admin.get('/api/models?refresh=true')


def form(id, **more):
    return {'id': id, 'base_model_id': 'stub-small', 'name': id, 'meta': {}, 'params': {}, **more}


def open_to(s, *users, write=()):
    return {'read': {'user_ids': [u.id for u in users], 'group_ids': []}, 'write': {'user_ids': [u.id for u in write], 'group_ids': []}}
