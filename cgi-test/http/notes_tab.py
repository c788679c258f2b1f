"""A browser's tab with a note open, for tests: a Socket.IO client that says and hears what the frontend's editor does, and updates of Yjs made by hand."""
import threading, time

from tabs import socketio  # also finds a Python that has it
from harness import check

EMPTY = [0, 0]


def number(v):
    out = []
    while v >= 0x80:
        out.append(v & 0x7F | 0x80)
        v >>= 7
    return out + [v]


def text_update(client, clock, text, after=None):
    """An update that puts a text into the shared type "t": at its start, or behind the piece (client, clock)."""
    bytes_ = list(text.encode())
    where = [4, 1, 1, ord('t')] if after is None else [0x84, *number(after[0]), *number(after[1])]
    return [1, 1, *number(client), *number(clock), *where, *number(len(bytes_)), *bytes_, 0]


def deletes(update):
    """Whether an update ends with a deletion (those that we make have one client and one range)."""
    return update[-1] != 0


class NoteTab:
    def __init__(self, person, note=None, join=True):
        self.person, self.note, self.events, self.lock = person, note, [], threading.Lock()
        self.io = socketio.Client(reconnection=False)
        for name in ('note-events', 'ydoc:document:state', 'ydoc:document:update', 'ydoc:user:joined', 'ydoc:user:left', 'ydoc:awareness:update', 'error'):
            self.io.on(name, lambda data=None, name=name: self.keep(name, data))
        auth = {'token': person.token} if person.token else None
        self.io.connect(f'http://{person.host}:{person.port}', socketio_path='/ws/socket.io', transports=['websocket'], auth=auth, wait_timeout=10)
        if person.token:
            self.io.call('user-join', {'auth': auth}, timeout=10)
        if note and join:
            self.join()

    def keep(self, name, data):
        with self.lock:
            self.events.append((name, data))

    def of(self, name):
        with self.lock:
            return [d for n, d in self.events if n == name]

    def names(self):
        with self.lock:
            return [n for n, _ in self.events]

    def until(self, test, what, seconds=8):
        end = time.monotonic() + seconds
        while not test():
            check(time.monotonic() < end, f'{what} did not happen within {seconds} s; heard: {self.events[-4:]}')
            time.sleep(0.02)

    def say(self, event, **more):
        self.io.emit(event, {'document_id': 'note:' + self.note, 'user_id': self.person.id, **more})

    def join(self):
        n = len(self.of('ydoc:document:state'))
        self.say('ydoc:document:join', user_name='x', user_color='#123456')
        self.until(lambda: len(self.of('ydoc:document:state')) > n, 'the state')
        return self.of('ydoc:document:state')[-1]

    def write(self, update, md=None, **more):
        data = {'data': {'content': {'md': md, 'html': f'<p>{md}</p>', 'json': {'type': 'doc'}}}} if md is not None else {}
        self.say('ydoc:document:update', socket_id=self.io.get_sid(), update=update, **data, **more)

    def settle(self):
        """What was sent is done when a later question is answered."""
        self.io.call('usage', {'model': 'none'}, timeout=10)

    def state(self):
        n = len(self.of('ydoc:document:state'))
        self.say('ydoc:document:state')
        self.until(lambda: len(self.of('ydoc:document:state')) > n, 'the state')
        return bytes(self.of('ydoc:document:state')[-1]['state'])

    def leave(self):
        self.say('ydoc:document:leave')

    def close(self):
        try:
            self.io.disconnect()
        except Exception:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
