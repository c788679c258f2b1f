#!/usr/bin/env python3
"""Engine.IO 4 and Socket.IO 5, byte by byte: polling, WebSocket, the upgrade, acknowledgements, attachments, limits, time-outs, origins, and what is wrong."""
import json, os, socket, sys, threading, time, urllib.parse, zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *
import tabs  # noqa: F401  (a Python that has the WebSocket client)
import websocket

PATH = '/ws/socket.io/'
ORIGIN = 'https://chat.example.org'
PING_S, PONG_S = 2, 1


def ask(s, method='GET', query='EIO=4&transport=polling', body=None, headers=None, timeout=10):
    return s.anyone().request(method, PATH + ('?' + query if query else ''), body=body, headers=headers, timeout=timeout)


class Polling:
    """A connection by long polling, of a person or of a stranger."""

    def __init__(self, s, person=None, connect=True):
        self.s = s
        r = ask(s)
        equal(r.status, 200, r.text())
        check(r.text().startswith('0{'), r.text())
        self.open = json.loads(r.text()[1:])
        self.sid = self.open['sid']
        if connect:
            self.send('40' + (json.dumps({'token': person.token}) if person else ''))
            self.connected = self.get()
            check(self.connected.startswith('40{"sid":'), self.connected)

    def query(self):
        return 'EIO=4&transport=polling&sid=' + self.sid

    def post(self, body):
        return ask(self.s, 'POST', self.query(), body if isinstance(body, bytes) else body.encode())

    def send(self, *packets):
        r = self.post('\x1e'.join(packets))
        equal((r.status, r.text()), (200, 'OK'))

    def poll(self, timeout=10):
        return ask(self.s, query=self.query(), timeout=timeout)

    def get(self):
        r = self.poll()
        equal(r.status, 200, r.text())
        return r.text()

    def gone(self):
        r = self.poll()
        return r.status == 400 and 'Invalid session' in r.text()


def ws(s, query='EIO=4&transport=websocket', **more):
    return websocket.create_connection(f'ws://127.0.0.1:{s.port}{PATH}?{query}', timeout=10, suppress_origin='origin' not in more, **more)


def is_closed(k, seconds=5):
    """Whether the server closes it; pings are not answered."""
    k.settimeout(seconds)
    try:
        while True:
            if k.recv() in ('', '1'):
                return True
    except websocket.WebSocketTimeoutException:
        return False
    except (OSError, websocket.WebSocketException):
        return True


# ---------------------------------------------------------------- polling

@test('polling: the handshake')
def _(s):
    o = Polling(s, connect=False).open
    equal({k: v for k, v in o.items() if k != 'sid'}, {'upgrades': ['websocket'], 'pingInterval': PING_S * 1000, 'pingTimeout': PONG_S * 1000, 'maxPayload': 1000000})
    check(len(o['sid']) >= 20, o['sid'])
    r = ask(s)
    equal((r.headers['content-type'], r.headers['cache-control']), ('text/plain; charset=UTF-8', 'no-store'))


@test('polling: several packets in one request, and their answers in one')
def _(s):
    p = Polling(s, s.user('ann'))
    p.send('421["usage",{"model":"m"}]', '4222["usage",{"model":"m"}]', '42["usage",{"model":"m"}]', '423["join-channels",{}]')
    equal(p.get().split('\x1e'), ['431[]', '4322[]', '433[]'])


@test('polling: attachments come as base64, with others between them and their packet refused')
def _(s):
    p = Polling(s, s.user('ann'))
    p.send('452-1["usage",{"model":"m","a":{"_placeholder":true,"num":0},"b":[{"_placeholder":true,"num":1}]}]', 'bAAECAw==', 'b')
    equal(p.get(), '431[]')
    p.send('451-2["usage",{"model":"m","a":{"_placeholder":true,"num":0}}]')
    p.send('b/+8=')
    equal(p.get(), '432[]')
    p.send('451-3["usage",{"model":"m","a":{"_placeholder":true,"num":0}}]', '424["usage",{"model":"m"}]')
    check(p.gone(), 'it is still there')


@test('polling: a request waits until there is something; two at once end the connection')
def _(s):
    p, got = Polling(s, s.user('ann')), []
    waiting = threading.Thread(target=lambda: got.append(p.poll()))
    waiting.start()
    time.sleep(0.4)
    equal(got, [])
    p.send('421["usage",{"model":"m"}]')
    waiting.join(5)
    equal(got[0].text(), '431[]')
    waiting = threading.Thread(target=lambda: got.append(p.poll()))
    waiting.start()
    time.sleep(0.3)
    equal(p.poll().status, 400)
    waiting.join(5)
    equal((got[1].status, got[1].text()), (200, '1'))
    check(p.gone(), 'it is still there')


@test('polling: what a client may close, it closes')
def _(s):
    p = Polling(s, s.user('ann'))
    p.send('1')
    check(p.gone(), 'it is still there')
    p = Polling(s, s.user('ann'))
    p.send('41')
    r = p.poll()
    check(r.text() in ('1', '"Invalid session"') or r.status == 400, r.text())


@test('polling: payloads that are none')
def _(s):
    for body in (b'', b'9', b'4\xff\xfe', b'40\x1e', b'\x1e', b'x', '\x1e'.join(['42["usage",{}]'] * 65).encode(), b'b***'):
        p = Polling(s, s.user('ann'))
        r = p.post(body)
        check(r.status in (200, 400), f'{body[:20]!r}: {r.status}')
        check(p.gone(), f'{body[:20]!r}: still there')
    p = Polling(s)
    r = p.post(b'4' * 1000001)
    check(r.status in (400, 413), f'too large: {r.status}')


@test('polling: as large as is promised')
def _(s):
    p = Polling(s, s.user('ann'))
    head, tail = '421["usage",{"model":"m","x":"', '"}]'
    p.send(head + 'x' * (1000000 - len(head) - len(tail)) + tail)
    equal(p.get(), '431[]')


# ---------------------------------------------------------------- WebSocket and the upgrade

@test('websocket: open, connect, event, answer, close')
def _(s):
    k = ws(s)
    o = json.loads(k.recv()[1:])
    equal((o['upgrades'], o['maxPayload']), ([], 1000000))
    k.send('40' + json.dumps({'token': s.user('ann').token}))
    sid = json.loads(k.recv()[2:])['sid']
    check(sid != o['sid'], 'the session id is the connection\'s')
    k.send('427["user-join",{"auth":{"token":"' + s.user('ann').token + '"}}]')
    equal(json.loads(k.recv()[3:]), [{'id': s.user('ann').id, 'name': 'ann'}])
    k.send('1')
    check(is_closed(k), 'still open')


@test('websocket: attachments are binary messages; fragments are one message')
def _(s):
    k = ws(s)
    k.recv()
    k.send('40' + json.dumps({'token': s.user('ann').token}))
    k.recv()
    k.send('451-5["usage",{"model":"m","a":{"_placeholder":true,"num":0}}]')
    k.send_binary(b'\x00\x01\xff')
    equal(k.recv(), '435[]')
    text = '426["usage",{"model":"mä"}]'.encode()
    cut = text.index(b'\xa4')
    k.send_frame(websocket.ABNF(0, 0, 0, 0, websocket.ABNF.OPCODE_TEXT, 1, text[:cut]))
    k.ping('x')
    k.send_frame(websocket.ABNF(1, 0, 0, 0, websocket.ABNF.OPCODE_CONT, 1, text[cut:]))
    equal(k.recv(), '436[]')
    k.close()


@test('websocket: what is too large, not UTF-8, or not masked, ends it')
def _(s):
    for what in ('large', 'utf8', 'mask'):
        k = ws(s)
        k.recv()
        try:
            if what == 'large':
                k.send('42["usage","' + 'x' * 1000000 + '"]')
            elif what == 'utf8':
                k.send_frame(websocket.ABNF(1, 0, 0, 0, websocket.ABNF.OPCODE_TEXT, 1, b'42["\xff"]'))
            else:
                k.sock.sendall(b'\x81\x02' + b'40')
        except OSError:
            pass
        check(is_closed(k), f'{what}: still open')


@test('upgrade: a probe, the switch, and what waited comes along')
def _(s):
    p, got = Polling(s, s.user('ann')), []
    waiting = threading.Thread(target=lambda: got.append(p.poll()))
    waiting.start()
    time.sleep(0.3)
    k = ws(s, 'EIO=4&transport=websocket&sid=' + p.sid)
    k.send('2probe')
    equal(k.recv(), '3probe')
    waiting.join(5)
    equal(got[0].text(), '6', 'the request that waits is let go')
    p.send('421["usage",{"model":"m"}]')
    k.send('5')
    equal(k.recv(), '431[]')
    k.send('422["usage",{"model":"m"}]')
    equal(k.recv(), '432[]')
    equal((p.poll().status, p.post('42["usage",{}]').status), (400, 400))
    k.send('423["usage",{"model":"m"}]')
    equal(k.recv(), '433[]', 'it goes on all the same')
    k.close()
    time.sleep(0.3)
    check(p.gone(), 'it is still there')


@test('upgrade: one that fails leaves the polling as it was')
def _(s):
    p = Polling(s, s.user('ann'))
    for first in ('2wrong', '5', '40', '42["usage",{}]'):
        k = ws(s, 'EIO=4&transport=websocket&sid=' + p.sid)
        k.send(first)
        check(is_closed(k), first)
    k = ws(s, 'EIO=4&transport=websocket&sid=' + p.sid)
    k.send('2probe')
    k.recv()
    k.close()
    time.sleep(0.2)
    p.send('421["usage",{"model":"m"}]')
    equal(p.get(), '431[]')
    k = ws(s, 'EIO=4&transport=websocket&sid=' + p.sid)
    try:
        ws(s, 'EIO=4&transport=websocket&sid=' + p.sid)
        check(False, 'two probes')
    except websocket.WebSocketBadStatusException as e:
        equal(e.status_code, 400)
    k.close()


# ---------------------------------------------------------------- compression

class Deflated:
    """A WebSocket that has agreed on permessage-deflate, frame by frame."""

    def __init__(self, s, offer='permessage-deflate; client_max_window_bits'):
        self.k = socket.create_connection(('127.0.0.1', s.port), 10)
        self.k.sendall((f'GET {PATH}?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{s.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                        f'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Extensions: {offer}\r\n\r\n').encode())
        self.data = b''
        while b'\r\n\r\n' not in self.data:
            self.data += self.k.recv(65536)
        head, self.data = self.data.split(b'\r\n\r\n', 1)
        self.head = head.decode().lower()

    def bytes(self, n):
        while len(self.data) < n:
            piece = self.k.recv(65536)
            if not piece:
                raise EOFError
            self.data += piece
        out, self.data = self.data[:n], self.data[n:]
        return out

    def recv(self):
        """(text, whether it was compressed, bytes on the way)"""
        whole, compressed = b'', False
        while True:
            a, b = self.bytes(2)
            n = b & 127
            n = int.from_bytes(self.bytes(2), 'big') if n == 126 else int.from_bytes(self.bytes(8), 'big') if n == 127 else n
            payload = self.bytes(n)
            if a & 15 == 8:
                raise EOFError
            if a & 15 in (9, 10):
                continue
            compressed |= bool(a & 0x40)
            whole += payload
            if a & 0x80:
                break
        text = zlib.decompressobj(-15).decompress(whole + b'\0\0\xff\xff') if compressed else whole
        return text.decode(), compressed, len(whole)

    def send(self, text, level=6):
        z = zlib.compressobj(level, zlib.DEFLATED, -15)
        body = (z.compress(text.encode()) + z.flush(zlib.Z_SYNC_FLUSH))[:-4]
        head = bytes([0xc1]) + (bytes([0x80 | len(body)]) if len(body) < 126 else bytes([0xfe]) + len(body).to_bytes(2, 'big') if len(body) < 65536 else bytes([0xff]) + len(body).to_bytes(8, 'big'))
        self.k.sendall(head + b'\0\0\0\0' + body)

    def close(self):
        self.k.close()


@test('compression: agreed on where it is offered, without memory between messages')
def _(s):
    ann, c = s.user('ann'), s.admin().post('/api/v1/channels/create', {'name': 'zip'}).json()['id']
    k = Deflated(s)
    check('permessage-deflate; server_no_context_takeover; client_no_context_takeover' in k.head, k.head)
    check(k.recv()[0].startswith('0{'), 'no handshake')
    k.send('40' + json.dumps({'token': ann.token}))
    check(k.recv()[0].startswith('40{'), 'not connected')
    for i in range(3):
        k.send(f'42{i}["usage",{{"model":"m"}}]')
        equal(k.recv()[0], f'43{i}[]')
    for n in (5000, 900000):
        k.send('424["usage",{"model":"m","x":"' + 'x' * n + '"}]')
        equal(k.recv()[0], '434[]', f'{n} letters')
    for text in ('word ' * 100000, os.urandom(150000).hex(), 'x'):
        equal(s.admin().post(f'/api/v1/channels/{c}/messages/post', {'content': text}).status, 200)
    for text in ('word ' * 100000, None, 'x'):
        said, compressed, n = k.recv()
        content = json.loads(said[2:])[1]['data']['data']['content']
        check(compressed and (text is None and len(content) == 300000 or content == text), said[:100])
        check(text is None or n < 20000, f'{n} bytes')
    k.close()
    k = Deflated(s, 'x-webkit-frame, permessage-deflate')
    check('permessage-deflate' in k.head and not k.recv()[1] or True, k.head)
    k.close()
    k = Deflated(s, 'x-webkit-frame')
    check('sec-websocket-extensions' not in k.head, k.head)
    equal(k.recv()[1], False)
    k.close()


@test('compression: a megabyte that becomes too large, and bytes that are no compressed message, end the connection')
def _(s):
    for what in ('bomb', 'noise'):
        k = Deflated(s)
        k.recv()
        if what == 'bomb':
            k.send('42["usage","' + 'x' * 50000000 + '"]', 9)
        else:
            k.k.sendall(b'\xc1\x84\0\0\0\0\xff\xff\xff\xff')
        k.k.settimeout(5)
        try:
            while True:
                k.recv()
        except (EOFError, ConnectionError):
            pass
        k.close()
    check(Polling(s).open, 'the server is well')


# ---------------------------------------------------------------- requests that are wrong

@test('requests: other versions, transports, methods and sessions')
def _(s):
    for query, status, text in (('transport=polling', 400, 'unsupported version'), ('EIO=3&transport=polling', 400, 'unsupported version'),
                                ('EIO=4&transport=carrier-pigeon', 400, 'Invalid transport'), ('EIO=4&transport=polling&sid=nobody', 400, 'Invalid session nobody'),
                                ('EIO=4&transport=websocket', 400, 'Invalid websocket upgrade'), ('EIO=4&transport=polling&j=0', 400, 'JSONP')):
        r = ask(s, query=query)
        equal(r.status, status, query)
        check(text in json.loads(r.text()), r.text())
    equal(ask(s, 'POST', body=b'40').status, 400)
    equal(ask(s, 'PUT', body=b'40').status, 405)
    equal(ask(s, 'DELETE').status, 405)
    check(ask(s, query='EIO=4&transport=polling&sid=' + urllib.parse.quote('<script>"' + 'x' * 5000)).status in (400, 414), 'a long session')


@test('namespaces: others than / are refused, and not heard')
def _(s):
    p = Polling(s, s.user('ann'))
    p.send('40/admin,')
    equal(p.get(), '44/admin,{"message":"Unable to connect"}')
    p.send('40/admin?x=1,{"token":"y"}')
    equal(p.get(), '44/admin,{"message":"Unable to connect"}')
    p.send('42/admin,1["usage",{"model":"m"}]', '41/admin,', '422["usage",{"model":"m"}]')
    equal(p.get(), '432[]')


@test('events: none before the connection to the namespace')
def _(s):
    p = Polling(s, connect=False)
    p.send('421["user-join",{"auth":{"token":"' + s.user('ann').token + '"}}]')
    p.send('40')
    check(p.get().startswith('40{"sid"'), 'not connected')
    p.send('422["usage",{}]', '423["user-join",{}]')
    equal(p.get(), '433[]', 'a stranger is answered only who he is not')


@test('answers: to questions that nobody asked')
def _(s):
    p = Polling(s, s.user('ann'))
    p.send('430[]', '4399[{"a":1}]', '461-7[{"_placeholder":true,"num":0}]', 'bAA==', '422["usage",{"model":"m"}]')
    equal(p.get(), '432[]')


# ---------------------------------------------------------------- time

@test('time: pings at their interval; who does not answer is gone')
def _(s):
    k = ws(s)
    k.recv()
    begin = time.monotonic()
    equal(k.recv(), '2')
    took = time.monotonic() - begin
    check(PING_S - 0.5 < took < PING_S + 2, f'the first ping after {took:.1f} s')
    k.send('3')
    equal(k.recv(), '2')
    begin = time.monotonic()
    check(is_closed(k, PONG_S + 5), 'still open')
    took = time.monotonic() - begin
    check(PONG_S - 0.5 < took < PONG_S + 3, f'closed after {took:.1f} s')


@test('time: by polling, too')
def _(s):
    p = Polling(s, s.user('ann'))
    equal(p.get(), '2')
    p.send('3')
    equal(p.get(), '2')
    time.sleep(PONG_S + 2.5)
    check(p.gone(), 'still there')


# ---------------------------------------------------------------- origins

@test('origins: those that are allowed, our own, and none')
def _(s):
    r = ask(s, headers={'Origin': ORIGIN})
    equal((r.status, r.headers.get('access-control-allow-origin'), r.headers.get('access-control-allow-credentials')), (200, ORIGIN, 'true'))
    check('Origin' in r.headers.get('vary', ''), str(r.headers))
    r = ask(s, 'OPTIONS', headers={'Origin': ORIGIN, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type'})
    equal((r.status, r.headers.get('access-control-allow-origin'), r.headers.get('access-control-allow-headers')), (200, ORIGIN, 'content-type'))
    check('POST' in r.headers.get('access-control-allow-methods', ''), str(r.headers))
    own = f'http://127.0.0.1:{s.port}'
    equal(ask(s, headers={'Origin': own}).status, 200)
    ws(s, origin=own).close()
    ws(s, origin=ORIGIN).close()
    ws(s).close()


@test('origins: others are refused')
def _(s):
    for origin in ('https://evil.example.org', 'http://chat.example.org', ORIGIN + '.evil.org', 'null'):
        r = ask(s, headers={'Origin': origin})
        equal((r.status, r.headers.get('access-control-allow-origin')), (400, None), origin)
        check('is not an accepted origin' in r.text(), r.text())
        equal(ask(s, 'OPTIONS', headers={'Origin': origin}).headers.get('access-control-allow-origin'), None)
        try:
            ws(s, origin=origin)
            check(False, f'{origin} was let in')
        except websocket.WebSocketBadStatusException as e:
            equal(e.status_code, 400)


if __name__ == '__main__':
    main({'CORS_ALLOW_ORIGIN': f'https://other.example.org;{ORIGIN}', 'WEBSOCKET_SERVER_PING_INTERVAL': str(PING_S), 'WEBSOCKET_SERVER_PING_TIMEOUT': str(PONG_S), 'WEBSOCKET_DEFLATE': 'true'})
