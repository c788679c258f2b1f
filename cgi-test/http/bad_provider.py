#!/usr/bin/env python3
"""A provider that has bad days: OpenAI's API on a port, where each model goes wrong in its own way (MODELS).

    with BadProvider() as bad:
        bad.url                      its base URL, ending in /v1
        bad.asked                    how often each model was asked
        bad.gone                     how often a model's client hung up before the answer was over
        bad.hold.clear()             "held" stops after its fifth word until bad.hold.set()
        bad.close(), bad.open()      nobody listens any more, and again

    bad_provider.py [PORT]           by hand
"""
import collections, json, socket, struct, sys, threading, time


def chunk(text=None, finish=None, **more):
    delta = {} if text is None else {'content': text}
    return b'data: ' + json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'created': 1, 'model': 'bad',
                                   'choices': [{'index': 0, 'delta': delta, 'finish_reason': finish}], **more}).encode() + b'\n\n'


END = chunk(finish='stop') + b'data: [DONE]\n\n'
HEAD = b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n'
PAGE = b'<html><head><title>500 Bad Day</title></head><body><h1>Bad Day</h1></body></html>'
WORDS = [f'word{i} ' for i in range(1, 6)]


class Talk:
    """One request and its answer; what is sent goes in HTTP chunks once head() was sent."""

    def __init__(self, provider, connection, body):
        self.provider, self.connection, self.body = provider, connection, body

    def raw(self, data):
        self.connection.sendall(data)

    def head(self):
        self.raw(HEAD + b'Transfer-Encoding: chunked\r\n\r\n')

    def send(self, data):
        self.raw(b'%x\r\n' % len(data) + data + b'\r\n')

    def words(self, pause=0.02, words=WORDS):
        for w in words:
            self.send(chunk(w))
            time.sleep(pause)

    def end(self):
        self.send(END)
        self.raw(b'0\r\n\r\n')

    def whole(self, status, kind, body):
        self.raw(f'HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n'.encode() + body)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))

    def until_closed(self):
        """Says nothing more, for as long as the client stays."""
        self.connection.settimeout(1)
        while not self.provider.over:
            try:
                if not self.connection.recv(4096):
                    raise ConnectionResetError
            except socket.timeout:
                pass


# ---------------------------------------------------------------- the models

def good(t):
    t.head(); t.words(); t.end()


def tens(t):
    """Ten words in some two seconds."""
    t.head(); t.words(0.2, [f'word{i} ' for i in range(1, 11)]); t.end()


def held(t):
    t.head(); t.words(); t.provider.hold.wait(60); t.words(words=[f'word{i} ' for i in range(6, 11)]); t.end()


def late(t):
    """Slow to begin."""
    time.sleep(2)
    good(t)


def endless(t):
    """A never-ending stream."""
    t.head()
    n = 0
    while not t.provider.over:
        n += 1
        t.words(0.05, [f'word{n} '])


def flood(t):
    """As much text as one can take."""
    t.head()
    while not t.provider.over:
        t.send(chunk('flood ' * 10000))


def hang(t):
    t.until_closed()


def hang_mid(t):
    t.head(); t.words(); t.until_closed()


def cut(t):
    t.head(); t.words()


def cut_in_line(t):
    t.head(); t.words(); t.send(b'data: {"choices": [{"index": 0, "delta": {"content": "hal')


def short(t):
    """Promises more than it sends."""
    t.raw(HEAD + b'Content-Length: 100000\r\n\r\n' + b''.join(map(chunk, WORDS)))


def no_done(t):
    """Ends well, without a finish_reason and without [DONE]."""
    t.head(); t.words(); t.raw(b'0\r\n\r\n')


def reset(t):
    t.reset()


def reset_mid(t):
    t.head(); t.words(); time.sleep(0.2); t.reset()


def close(t):
    pass


def no_http(t):
    t.raw(b'SSH-2.0-OpenSSH_9.2\r\n' + bytes(range(256)))


def garbage(t):
    t.head()
    for i in range(50):
        t.send(b'data: ' + bytes((i * 7 + k * 13) % 256 for k in range(200)) + b'\n\n')
    t.raw(b'0\r\n\r\n')


def garbage_mid(t):
    """Words among lines that are no JSON, none of this protocol, or JSON of other kinds."""
    t.head()
    for w in WORDS:
        t.send(b'data: {"choices": [{"delta": \xff\xfe\n\ndata: [1, 2\n\nnonsense\n\0\0\0\n\ndata: null\n\ndata: 7\n\ndata: "x"\n\ndata: []\n\ndata: {"choices": 7}\n\n'
               b'data: {"choices": [null]}\n\ndata: {"choices": [{"delta": [], "index": "x"}]}\n\ndata: {"choices": [{"delta": {"content": {"a": 1}}}]}\n\n'
               b'data: {"choices": [{"delta": {"tool_calls": [5, {"index": -1}, {"index": 99999999999, "function": 3}]}}]}\n\n')
        t.words(words=[w])
    t.end()


def bytes_mid(t):
    """Broken UTF-8, NUL and a lone surrogate inside of words."""
    t.head(); t.words()
    t.send(b'data: {"choices": [{"index": 0, "delta": {"content": "a\\u0000b "}}]}\n\n')
    t.send(b'data: {"choices": [{"index": 0, "delta": {"content": "c\xff\xc3 d "}}]}\n\n')
    t.send(b'data: {"choices": [{"index": 0, "delta": {"content": "e\\ud83d f "}}]}\n\n')
    t.words(words=['last']); t.end()


def split(t):
    """Words cut into single bytes, in the middle of characters too."""
    t.raw(HEAD + b'\r\n')
    for b in chunk('grüße 😀 ').replace(b'\n\n', b'\r\n\r\n') + json_text_chunk('naïve ') + END:
        t.raw(bytes([b]))
        time.sleep(0.0005)


def json_text_chunk(text):
    return b'data:' + json.dumps({'choices': [{'index': 0, 'delta': {'content': text}}]}, ensure_ascii=False).encode() + b'\n\n'


def deep(t):
    t.head(); t.words(); t.send(b'data: ' + b'[' * 200000 + b'\n\n'); t.send(b'data: {"choices":' + b'[{"delta":' * 50000 + b'\n\n'); t.end()


def line_4mb(t):
    t.head(); t.words(); t.send(chunk('x' * (4 << 20) + ' ')); t.words(words=['last']); t.end()


def noise_4mb(t):
    """A line of 4 MB that is no JSON."""
    t.head(); t.words(); t.send(b'data: ' + b'{[x' * (4 << 20 >> 2) + b'\n\n'); t.words(words=['last']); t.end()


def line_endless(t):
    """A line that does not end."""
    t.head(); t.words(); t.send(b'data: {"x": "')
    while not t.provider.over:
        t.send(b'y' * 65536)


def error_500(t):
    t.whole('500 Internal Server Error', 'application/json', b'{"error": {"message": "the graphics card is on fire", "type": "server_error"}}')


def error_html(t):
    t.whole('500 Internal Server Error', 'text/html', PAGE)


def error_429(t):
    t.whole('429 Too Many Requests', 'application/json', b'{"error": {"message": "too many questions", "code": "rate_limit_exceeded"}}')


def error_401(t):
    t.whole('401 Unauthorized', 'application/json', b'{"error": {"message": "the key is wrong"}}')


def error_empty(t):
    t.whole('503 Service Unavailable', 'text/plain', b'')


def error_huge(t):
    t.whole('500 Internal Server Error', 'text/html', b'<p>' * (1 << 20))


def error_mid(t):
    t.head(); t.words(); t.send(b'data: {"error": {"message": "out of memory in the middle", "code": 500}}\n\n'); t.raw(b'0\r\n\r\n')


def html(t):
    """A page instead of a stream, with status 200 (a captive portal)."""
    t.whole('200 OK', 'text/html', PAGE)


def redirect(t):
    t.raw(b'HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')


def empty(t):
    t.head(); t.raw(b'0\r\n\r\n')


def headers_huge(t):
    t.raw(HEAD)
    for i in range(2000):
        t.raw(f'X-Header-{i}: '.encode() + b'h' * 4000 + b'\r\n')
    t.raw(b'\r\n' + chunk('word1 ') + END)


def headers_endless(t):
    t.raw(HEAD)
    while not t.provider.over:
        t.raw(b'X-Header: ' + b'h' * 1000 + b'\r\n')


def headers_odd(t):
    t.raw(b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Type:\r\nX-\xff\xfe: z\r\nSet-Cookie: token=stolen; Path=/\r\n'
          b'Content-Type: text/event-stream\r\nConnection: close\r\n\r\n' + b''.join(map(chunk, WORDS)) + END)


def headers_none(t):
    t.raw(HEAD + b'no colon here\r\n: nothing\r\n\r\n' + b''.join(map(chunk, WORDS)) + END)


def headers_nul(t):
    t.raw(HEAD + b'X-A: a\0b\r\n\r\n' + b''.join(map(chunk, WORDS)) + END)


def chunks_wrong(t):
    """Chunked, with sizes that are none."""
    t.head(); t.words(); t.raw(b'zz\r\nwhat\r\n')


def interim(t):
    """103 before the answer, over and over."""
    t.raw(b'HTTP/1.1 103 Early Hints\r\nContent-Type: text/html\r\n\r\n' * 20)
    good(t)


MODELS = {'bad-' + f.__name__.replace('_', '-'): f for f in (
    good, tens, held, late, endless, flood, hang, hang_mid, cut, cut_in_line, short, no_done, reset, reset_mid, close, no_http, garbage, garbage_mid,
    bytes_mid, split, deep, line_4mb, noise_4mb, line_endless, error_500, error_html, error_429, error_401, error_empty, error_huge, error_mid, html,
    redirect, empty, headers_huge, headers_endless, headers_odd, headers_none, headers_nul, chunks_wrong, interim)}


# ---------------------------------------------------------------- the server

class BadProvider:
    def __init__(self, port=0):
        self.port, self.listener, self.over = port, None, False
        self.asked, self.gone = collections.Counter(), collections.Counter()
        self.hold = threading.Event()
        self.hold.set()
        self.open()
        self.url = f'http://127.0.0.1:{self.port}/v1'

    def open(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(('127.0.0.1', self.port))
        self.listener.listen(512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def read(self, connection):
        """First line and body of a request."""
        got = b''
        while b'\r\n\r\n' not in got:
            more = connection.recv(65536)
            if not more:
                return '', b''
            got += more
        head, _, body = got.partition(b'\r\n\r\n')
        length = sum(int(line.split(b':')[1]) for line in head.split(b'\r\n') if line.lower().startswith(b'content-length:'))
        while len(body) < length:
            body += connection.recv(65536)
        return head.split(b'\r\n')[0].decode('latin-1'), body

    def serve(self, connection):
        model = ''
        with connection:
            try:
                line, body = self.read(connection)
                talk = Talk(self, connection, body)
                if line.startswith('GET ') and '/models' in line:
                    talk.whole('200 OK', 'application/json', json.dumps({'object': 'list', 'data': [
                        {'id': m, 'object': 'model', 'created': 1, 'owned_by': 'bad'} for m in MODELS]}).encode())
                elif line.startswith('POST ') and '/chat/completions' in line:
                    model = json.loads(body).get('model', '')
                    self.asked[model] += 1
                    MODELS[model](talk)
                elif line:
                    talk.whole('404 Not Found', 'application/json', b'{"error": {"message": "no such thing"}}')
            except (OSError, ValueError):
                self.gone[model] += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over = True
        self.hold.set()
        self.close()


if __name__ == '__main__':
    with BadProvider(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as provider:
        print(provider.url, flush=True)
        threading.Event().wait()
