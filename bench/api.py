"""A server as a client sees it: signing in, seeding, the operations that are measured, and the live socket."""

import base64, http.client, json, os, re, socket, struct, threading, time, urllib.parse, uuid

NAME, EMAIL, PASSWORD = 'Bench Admin', 'bench-admin@example.com', 'bench-Password-1'
CHATS = 100
BIG_BYTES = 400 * 1024
WORDS = (
    'the server answers every request with what the table holds and nothing else so a reader can follow each step from the '
    'browser to the row and back again while streams run side by side and memory stays where it was before they came'
).split()


class Server:
    def __init__(self, name, url, parts=()):
        self.name, self.url, self.parts = name, url.rstrip('/'), list(parts)
        where = urllib.parse.urlsplit(self.url)
        if where.scheme != 'http' or where.path or not where.port:
            raise SystemExit(f'not http://HOST:PORT: {url}')
        self.host, self.port = where.hostname, where.port
        self.address = f'{self.host}:{self.port}'
        self.token = self.database = None

    @staticmethod
    def named(text):
        """NAME=URL[,PID or pid file]…"""
        name, _, rest = text.partition('=')
        url, *parts = rest.split(',')
        if not name or not url:
            raise SystemExit(f'not NAME=URL[,PID…]: {text}')
        return Server(name, url, [p if p.isdigit() or p.startswith('@') else open(p).read().split()[0] for p in parts])

    def call(self, method, path, body=None, raw=False, type='application/json'):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        headers = {'Content-Type': type} if body is not None else {}
        if self.token:
            headers['Authorization'] = 'Bearer ' + self.token
        try:
            connection.request(method, path, body if body is None or isinstance(body, str) else json.dumps(body), headers)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if raw:
            return answer.status, data
        try:
            return answer.status, json.loads(data)
        except ValueError:
            return answer.status, data.decode('utf-8', 'replace')

    def must(self, method, path, body=None, type='application/json'):
        status, data = self.call(method, path, body, type=type)
        if status != 200:
            raise SystemExit(f'{self.name}: {method} {path} answered {status}: {str(data)[:300]}')
        return data

    def request_bytes(self, method, path, body=None, token=True):
        data = b'' if body is None else json.dumps(body).encode()
        head = [f'{method} {path} HTTP/1.1', f'Host: {self.address}', 'User-Agent: bench', 'Accept: application/json']
        head += [f'Authorization: Bearer {self.token}'] if token else []
        head += ['Content-Type: application/json', f'Content-Length: {len(data)}'] if body is not None else []
        return ('\r\n'.join(head) + '\r\n\r\n').encode() + data

    # ------------------------------------------------------------ seeding

    def sign_in(self):
        account = {'email': EMAIL, 'password': PASSWORD}
        status, body = self.call('POST', '/api/v1/auths/signin', account)
        if status != 200:
            status, body = self.call('POST', '/api/v1/auths/signup', {'name': NAME, **account})
        if status != 200:
            raise SystemExit(f'{self.name}: cannot sign up or in: {status} {body}')
        self.token = body['token']

    def seed(self):
        """Signs in and sees to it that the user has CHATS chats, one of them big. May be called on a server seeded before."""
        self.sign_in()
        have = {c['title']: c['id'] for c in self.must('GET', '/api/v1/chats/list')}
        for i in range(CHATS):
            title = f'Bench chat {i}' if i else 'Bench big chat'
            if title not in have:
                chat = big_chat(title) if i == 0 else make_chat(title, 4, 700, i)
                have[title] = self.must('POST', '/api/v1/chats/new', {'chat': chat, 'folder_id': None})['id']
        if len(have) != CHATS or 'Bench big chat' not in have:
            raise SystemExit(f'{self.name}: has {len(have)} chats that are not ours: give it a fresh database')
        self.big, self.small = have['Bench big chat'], have['Bench chat 1']

    # ------------------------------------------------------------ one answer through a chat, as the frontend asks for it

    def ask(self, session, model):
        """Starts an answer in a new chat whose text goes to the socket; returns the message's id."""
        user, bot, now = str(uuid.uuid4()), str(uuid.uuid4()), int(time.time())
        messages = {
            user: {
                'id': user,
                'parentId': None,
                'childrenIds': [bot],
                'role': 'user',
                'content': 'Tell me.',
                'timestamp': now,
                'models': [model],
            },
            bot: {
                'id': bot,
                'parentId': user,
                'childrenIds': [],
                'role': 'assistant',
                'content': '',
                'model': model,
                'modelName': model,
                'modelIdx': 0,
                'timestamp': now,
            },
        }
        chat = {
            'id': '',
            'title': 'Bench answer',
            'models': [model],
            'params': {},
            'history': {'messages': messages, 'currentId': bot},
            'messages': list(messages.values()),
            'tags': [],
            'timestamp': now * 1000,
        }
        chat_id = self.must('POST', '/api/v1/chats/new', {'chat': chat, 'folder_id': None})['id']
        self.must(
            'POST',
            '/api/chat/completions',
            {
                'stream': True,
                'model': model,
                'messages': [{'role': 'user', 'content': 'Tell me.'}],
                'params': {},
                'features': {},
                'variables': {},
                'model_item': {},
                'session_id': session,
                'chat_id': chat_id,
                'id': bot,
            },
        )
        return chat_id, bot


def prose(n_bytes, seed):
    out, size, i = [], 0, seed * 7
    while size < n_bytes:
        word = WORDS[i * 31 % len(WORDS)]
        out.append(word)
        size += len(word) + 1
        i += 1 + i % 3
    return ' '.join(out)[:n_bytes]


def make_chat(title, n_messages, n_bytes, seed):
    """A chat as the frontend saves it: every message in the history and, on the current branch, once more in a list."""
    ids = [str(uuid.uuid5(uuid.NAMESPACE_URL, f'bench/{title}/{i}')) for i in range(n_messages)]
    messages, begin = {}, 1700000000 + seed * 60
    for i, mid in enumerate(ids):
        m = {
            'id': mid,
            'parentId': ids[i - 1] if i else None,
            'childrenIds': ids[i + 1 : i + 2],
            'timestamp': begin + i,
        }
        if i % 2 == 0:
            m |= {'role': 'user', 'content': prose(n_bytes // 3, seed + i), 'models': ['stub-small']}
        else:
            m |= {
                'role': 'assistant',
                'content': prose(n_bytes, seed + i),
                'model': 'stub-small',
                'modelName': 'stub-small',
                'modelIdx': 0,
                'done': True,
                'usage': {'prompt_tokens': 5, 'completion_tokens': 20, 'total_tokens': 25},
            }
        messages[mid] = m
    return {
        'id': '',
        'title': title,
        'models': ['stub-small'],
        'params': {},
        'history': {'messages': messages, 'currentId': ids[-1]},
        'messages': list(messages.values()),
        'tags': [],
        'files': [],
        'timestamp': begin * 1000,
    }


def big_chat(title):
    one = len(json.dumps(make_chat(title, 2, 3000, 0)))
    chat = make_chat(title, 2 * (BIG_BYTES // one), 3000, 0)
    while len(json.dumps(chat)) < BIG_BYTES:
        chat['history']['messages'][chat['history']['currentId']]['content'] += prose(1000, 1)
    return chat


class Socket:
    """A browser tab's Socket.IO connection over WebSocket: joins as the user and notes which answers are done."""

    def __init__(self, server):
        self.done, self.bytes, self.error, self.change = set(), 0, None, threading.Condition()
        self.io = socket.create_connection((server.host, server.port), timeout=120)
        self.stream = self.io.makefile('rb', buffering=1 << 18)
        key = base64.b64encode(os.urandom(16)).decode()
        self.io.sendall(
            (
                f'GET /ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {server.address}\r\nUpgrade: websocket\r\n'
                f'Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n'
            ).encode()
        )
        status = self.stream.readline()
        while self.stream.readline() not in (b'\r\n', b''):
            pass
        if b' 101 ' not in status:
            raise SystemExit(f'{server.name}: no WebSocket: {status!r}')
        auth = json.dumps({'token': server.token})
        self.expect(b'0')
        self.send('40' + auth)
        self.session = json.loads(self.expect(b'40')[2:])['sid']
        self.send('420["user-join",{"auth":' + auth + '}]')
        self.expect(b'430')
        threading.Thread(target=self.listen, daemon=True).start()

    def send(self, text, opcode=1):
        data, mask = text.encode() if isinstance(text, str) else text, os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + struct.pack('>H', len(data))
        self.io.sendall(bytes([0x80 | opcode]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        """The next text message; pings of both layers are answered."""
        whole = b''
        while True:
            head = self.stream.read(2)
            if len(head) < 2:
                raise EOFError('the socket was closed')
            size = head[1] & 127
            if size > 125:
                size = struct.unpack('>H' if size == 126 else '>Q', self.stream.read(2 if size == 126 else 8))[0]
            data, opcode = self.stream.read(size), head[0] & 15
            self.bytes += size
            if opcode == 8:
                raise EOFError('the socket was closed')
            if opcode == 9:
                self.send(data, 10)
            if opcode > 2:
                continue
            whole += data
            if not head[0] & 0x80:
                continue
            if whole != b'2':
                return whole
            self.send('3')
            whole = b''

    def expect(self, start):
        while True:
            message = self.receive()
            if message.startswith(start):
                return message

    def listen(self):
        try:
            while True:
                message = self.receive()
                if re.search(rb'"done": ?true', message[-4096:]) or re.search(rb'"done": ?true', message[:4096]):
                    event = json.loads(message[message.index(b'[') :])[1]
                    with self.change:
                        self.done.add(event.get('message_id'))
                        self.change.notify_all()
        except (EOFError, OSError, ValueError) as e:
            with self.change:
                self.error = e
                self.change.notify_all()

    def wait(self, message_id, seconds=300):
        with self.change:
            self.change.wait_for(lambda: self.error or message_id in self.done, seconds)
            if message_id not in self.done:
                raise SystemExit(f'an answer did not end: {self.error or "no event in time"}')

    def close(self):
        self.io.shutdown(socket.SHUT_RDWR)
        self.io.close()
