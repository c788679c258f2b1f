"""A browser's tab, for tests: a real Socket.IO client that has joined as a person, what it hears, and what the frontend makes of it.

    with Tab(ann) as tab:
        answer = tab.ask('bad-good')             # a new chat, and the question in it
        answer.wait()                            # until the tab knows that it is over
        answer.content, answer.error, answer.done            # as shown
        answer.saved()                           # the message as GET /api/v1/chats/ID has it

Importing this starts the program again with a Python that has python3-socketio, if this one has not.
"""
import os, sys, threading, time, uuid

try:
    import requests, socketio, websocket  # noqa: F401
except ImportError:
    from harness import Missing, python_with
    try:
        python = python_with('socketio', 'requests', 'websocket')
        os.execv(python, [python, *sys.argv])
    except Missing as e:
        print(f'FAILED: {e}\n0 passed, 1 failed')
        sys.exit(1)
from harness import check, equal


class Tab:
    """reconnection: as the frontend's client, which joins again at each new connection."""

    def __init__(self, person, transports=('websocket',), reconnection=False):
        self.person, self.events, self.lock, self.connections = person, [], threading.Lock(), 0
        self.channel_events = []
        self.io = socketio.Client(reconnection=reconnection, reconnection_delay=0.5, reconnection_delay_max=1)
        self.io.on('chat-events', self.keep)
        self.io.on('channel-events', self.keep_channel)
        self.io.on('connect', self.join)
        self.joined = threading.Event()
        self.io.connect(f'http://{person.host}:{person.port}', socketio_path='/ws/socket.io', transports=list(transports), auth={'token': person.token}, wait_timeout=10)
        check(self.joined.wait(10), 'the tab could not join')

    def keep(self, data=None):
        with self.lock:
            self.events.append(data)

    def keep_channel(self, data=None):
        with self.lock:
            self.channel_events.append(data)

    def heard(self, channel, kind=None):
        """What it heard of a channel: the events of a type, or the types of all."""
        with self.lock:
            events = [e for e in self.channel_events if e['channel_id'] == channel]
        return [e for e in events if e['data']['type'] == kind] if kind else [e['data']['type'] for e in events]

    def join(self):
        self.connections += 1
        self.io.emit('user-join', {'auth': {'token': self.person.token}}, callback=lambda *_: self.joined.set())

    def of(self, message):
        with self.lock:
            return [e['data'] for e in self.events if e and e.get('message_id') == message]

    def ask(self, model, prompt='Hello', **more):
        answer = Answer(self, model, prompt)
        body = {'stream': True, 'model': model, 'messages': [{'role': 'user', 'content': prompt}], 'params': {}, 'features': {}, 'variables': {}, 'model_item': {},
                'session_id': self.io.get_sid(), 'chat_id': answer.chat, 'id': answer.id, **more}
        answer.response = self.person.post('/api/chat/completions', body)
        return answer

    def close(self):
        self.io.reconnection = False
        abort, task = (getattr(self.io, name, None) for name in ('_reconnect_abort', '_reconnect_task'))
        if abort and task:           # disconnect() does not end a client that is about to connect again
            abort.set()
            task.join()
        try:
            self.io.disconnect()
        except Exception:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def new_chat(person, model='m', prompt='Hello'):
    """Ids of a chat as the frontend makes it, and of the empty message of its assistant."""
    ask, say, now = str(uuid.uuid4()), str(uuid.uuid4()), int(time.time())
    question = {'id': ask, 'parentId': None, 'childrenIds': [say], 'role': 'user', 'content': prompt, 'timestamp': now, 'models': [model]}
    answer = {'id': say, 'parentId': ask, 'childrenIds': [], 'role': 'assistant', 'content': '', 'model': model, 'modelName': model, 'modelIdx': 0, 'timestamp': now}
    r = person.post('/api/v1/chats/new', {'chat': {'id': '', 'title': 'New Chat', 'models': [model], 'params': {}, 'messages': [question, answer], 'tags': [],
                                                   'history': {'messages': {ask: question, say: answer}, 'currentId': say}, 'timestamp': now * 1000}})
    equal(r.status, 200, f'a new chat: {r}')
    return r.json()['id'], say


class Answer:
    def __init__(self, tab, model, prompt):
        self.tab = tab
        self.chat, self.id = new_chat(tab.person, model, prompt)

    @property
    def events(self):
        return self.tab.of(self.id)

    def kinds(self):
        return [e.get('type') for e in self.events]

    @property
    def content(self):
        text = ''
        for e in self.events:
            data = e.get('data')
            if e.get('type') == 'chat:completion' and isinstance(data, dict):
                for choice in data.get('choices') or []:
                    text += (choice.get('message') or {}).get('content') or (choice.get('delta') or {}).get('content') or ''
                text = data.get('content') or text
        return text

    @property
    def error(self):
        """What a person is told, as text; '' if nothing."""
        for e in reversed(self.events):
            data = e.get('data') or {}
            if isinstance(data, dict) and data.get('error') and e.get('type') in ('chat:completion', 'chat:message:error'):
                return words_of(data['error'])
        return ''

    @property
    def done(self):
        return any(e.get('type') == 'chat:completion' and (e.get('data') or {}).get('done') for e in self.events)

    def is_over(self):
        return self.done or 'chat:message:error' in self.kinds() or 'chat:tasks:cancel' in self.kinds()

    def until(self, test, seconds=15, what='what was waited for'):
        end = time.monotonic() + seconds
        while not test():
            if time.monotonic() > end:
                raise AssertionError(f'{what} did not happen within {seconds} s; the tab heard {self.kinds()[-5:]}, {self.content[-60:]!r}')
            time.sleep(0.03)
        return self

    def wait(self, seconds=15):
        equal(self.response.status, 200, f'the question: {self.response}')
        return self.until(self.is_over, seconds, 'the end of the answer')

    def wait_words(self, n=3, seconds=10):
        equal(self.response.status, 200, f'the question: {self.response}')
        return self.until(lambda: len(self.content.split()) >= n, seconds, f'{n} words')

    def saved(self):
        r = self.tab.person.get(f'/api/v1/chats/{self.chat}')
        equal(r.status, 200, f'the chat: {r}')
        return r.json()['chat']['history']['messages'][self.id]

    def tasks(self):
        return self.tab.person.get(f'/api/tasks/chat/{self.chat}').json()['task_ids']


def words_of(error):
    """The text of an error in any of the forms that the frontend shows."""
    while isinstance(error, dict):
        error = next((error[k] for k in ('content', 'message', 'detail', 'error') if error.get(k)), str(error))
    return error if isinstance(error, str) else str(error)
