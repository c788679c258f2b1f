#!/usr/bin/env python3
"""What tabs hear of channels: who is in a channel's room, and that nobody else is; what a tab may say there; sockets that say nonsense."""
import http.client, json, os, socket, sys, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *
from tabs import Tab
from providers import *
import socketio, websocket

C = '/api/v1/channels/'


def channel(s, *members, **more):
    """A channel that these may read and write; open to all when nobody is named."""
    rule = {'user_ids': [u.id for u in members], 'group_ids': []}
    r = s.admin().post(C + 'create', {'name': 'room', **({'access_control': {'read': rule, 'write': rule}} if members else {}), **more})
    equal(r.status, 200, r.text())
    return r.json()['id']


def post(who, c, content='Hello', **more):
    r = who.post(f'{C}{c}/messages/post', {'content': content, **more})
    equal(r.status, 200, r.text())
    return r.json()['id']


def server_log(s):
    text = ''
    for folder, _, names in os.walk(LOGS):
        for name in names:
            if name.endswith('.log'):
                text += open(os.path.join(folder, name), errors='replace').read()
    return text


def typing(tab, c, message=None, data=None):
    tab.io.emit('channel-events', {'channel_id': c, 'message_id': message, 'data': data or {'type': 'typing', 'data': {'typing': True}}})


# ---------------------------------------------------------------- who hears

@test('rooms: whoever may read hears of a new channel at once, and nobody else')
def _(s):
    with Tab(s.user('ann')) as ann, Tab(s.user('bob')) as bob:
        c, open_to_all = channel(s, s.user('ann')), channel(s)
        post(s.admin(), c)
        post(s.admin(), open_to_all)
        until(lambda: ann.heard(c) and ann.heard(open_to_all) and bob.heard(open_to_all))
        time.sleep(0.2)
        equal((ann.heard(c), bob.heard(c)), (['message'], []))


@test('rooms: every tab of a member, also one that comes later; polling like WebSocket')
def _(s):
    c = channel(s, s.user('ann'))
    with Tab(s.user('ann')) as a, Tab(s.user('ann'), transports=('polling',)) as b, Tab(s.user('bob')) as other:
        post(s.admin(), c)
        until(lambda: a.heard(c) and b.heard(c))
        equal(other.heard(c), [])


@test('rooms: a new rule lets in and shows out')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    c = channel(s, ann)
    with Tab(ann) as a, Tab(bob) as b:
        post(s.admin(), c)
        until(lambda: a.heard(c))
        rule = {'user_ids': [bob.id], 'group_ids': []}
        s.admin().post(f'{C}{c}/update', {'name': 'room', 'access_control': {'read': rule, 'write': rule}})
        post(bob, c)
        until(lambda: b.heard(c))
        s.admin().post(f'{C}{c}/update', {'name': 'room', 'access_control': None})
        post(bob, c)
        until(lambda: len(a.heard(c)) == 2 and len(b.heard(c)) == 2)
        s.admin().delete(f'{C}{c}/delete')
        typing(a, c)
        time.sleep(0.3)
        equal((len(a.heard(c)), len(b.heard(c))), (2, 2))


@test('rooms: members of a group, from when they are until they are not')
def _(s):
    ann, g = s.user('ann'), s.admin().post('/api/v1/groups/create', {'name': 'live', 'description': ''}).json()['id']
    rule = {'user_ids': [], 'group_ids': [g]}
    c = s.admin().post(C + 'create', {'name': 'room', 'access_control': {'read': rule, 'write': rule}}).json()['id']
    with Tab(ann) as tab:
        say = lambda: post(s.admin(), c)
        say()
        s.admin().post(f'/api/v1/groups/id/{g}/users/add', {'user_ids': [ann.id]})
        say()
        until(lambda: len(tab.heard(c)) == 1)
        s.admin().post(f'/api/v1/groups/id/{g}/users/remove', {'user_ids': [ann.id]})
        say()
        s.admin().post(f'/api/v1/groups/id/{g}/update', {'name': 'live', 'description': '', 'user_ids': [ann.id]})
        say()
        until(lambda: len(tab.heard(c)) == 2)
        scim = Client(s.url, s.env['SCIM_TOKEN'])
        for members in ([], [{'value': ann.id}]):
            equal(scim.request('PUT', f'/api/v1/scim/v2/Groups/{g}', {'displayName': 'live', 'members': members}).status, 200)
            say()
        until(lambda: len(tab.heard(c)) == 3)
        s.admin().delete(f'/api/v1/groups/id/{g}/delete')
        say()
        time.sleep(0.3)
        equal(len(tab.heard(c)), 3)


@test('rooms: join-channels reads again, and leaves what is closed')
def _(s):
    ann = s.user('ann')
    c = channel(s, ann)
    with Tab(ann) as tab:
        if 'DATABASE_URL' not in s.env:      # behind the server's back
            import sqlite3
            with sqlite3.connect(s.data + '/webui.db', timeout=20) as db:
                db.execute("UPDATE channel SET access_control = '{}' WHERE id = ?", (c,))
            db.close()
            post(s.admin(), c)
            until(lambda: len(tab.heard(c)) == 1)
            tab.io.call('join-channels', {'auth': {'token': ann.token}})
            time.sleep(0.3)
            post(s.admin(), c)
        time.sleep(0.3)
        check(len(tab.heard(c)) <= 1, 'heard what is closed')
        tab.io.call('join-channels', {'auth': {'token': 'nonsense'}})
        tab.io.call('join-channels', {})
        d = channel(s, ann)
        post(ann, d)
        until(lambda: tab.heard(d))


@test('rooms: a demoted or deleted user hears nothing more')
def _(s):
    una, c = s.user('una'), channel(s)
    with Tab(una) as tab:
        post(una, c)
        until(lambda: tab.heard(c))
        s.admin().post(f'/api/v1/users/{una.id}/update', {'role': 'pending', 'name': 'una', 'email': 'una@test.test', 'profile_image_url': '/user.png'})
        post(s.admin(), c)
        time.sleep(0.4)
        equal(tab.heard(c), ['message'])


# ---------------------------------------------------------------- what they hear

@test('events: as the Python backend words them')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    c = channel(s, ann, bob)
    with Tab(bob) as tab:
        m = post(ann, c, 'One')
        ann.post(f'{C}{c}/messages/{m}/update', {'content': 'Two'})
        bob.post(f'{C}{c}/messages/{m}/reactions/add', {'name': '+1'})
        bob.post(f'{C}{c}/messages/{m}/reactions/remove', {'name': '+1'})
        n = post(bob, c, 'Reply', parent_id=m)
        bob.delete(f'{C}{c}/messages/{n}/delete')
        bob.delete(f'{C}{c}/messages/{m}/delete')
        kinds = ['message', 'message:update', 'message:reaction:add', 'message:reaction:remove', 'message', 'message:reply', 'message:delete', 'message:reply', 'message:delete']
        until(lambda: len(tab.heard(c)) >= len(kinds))
        equal(tab.heard(c), kinds)
        events = [e for e in tab.channel_events if e['channel_id'] == c]
        shown = {'id': ann.id, 'name': 'ann', 'role': 'user', 'profile_image_url': '/user.png'}
        by_bob = {'id': bob.id, 'name': 'bob', 'role': 'user', 'profile_image_url': '/user.png'}
        equal([e['user'] for e in events], [shown, shown, *[by_bob] * 7])
        equal([e['message_id'] for e in events], [m, m, m, m, n, m, n, m, m])
        equal({json.dumps(e['channel'], sort_keys=True) for e in events}, {json.dumps(s.admin().get(f'{C}{c}').json() | {'write_access': 0}, sort_keys=True).replace(', "write_access": 0', '')})
        first = events[0]['data']['data']
        equal(sorted(first), sorted(['id', 'user_id', 'channel_id', 'reply_to_id', 'parent_id', 'content', 'data', 'meta', 'created_at', 'updated_at', 'user', 'reply_to_message', 'latest_reply_at', 'reply_count', 'reactions']))
        equal((first['user'], first['content']), (shown, 'One'))
        equal(events[2]['data']['data']['name'], '+1')
        equal(events[2]['data']['data']['reactions'], [{'name': '+1', 'user_ids': [bob.id], 'count': 1}])
        equal(events[3]['data']['data']['reactions'], [])
        equal((events[5]['data']['data']['reply_count'], events[7]['data']['data']['reply_count']), (1, 0))
        equal((events[8]['data']['data']['user'], events[8]['data']['data']['user_id']), (by_bob, ann.id))


@test('events: a model\'s answer comes as a message, and then as its text')
def _(s):
    c = channel(s)
    with Tab(s.admin()) as tab:
        m = post(s.admin(), c, 'Hi <@M:stub-echo|Echo>')
        until(lambda: tab.heard(c, 'message:update'))
        equal(tab.heard(c), ['message', 'message', 'message:reply', 'message:update'])
        answer = tab.heard(c, 'message')[1]['data']['data']
        equal((answer['content'], answer['parent_id'], answer['meta']), ('', m, {'model_id': 'stub-echo', 'model_name': 'stub-echo'}))
        after = tab.heard(c, 'message:update')[0]['data']['data']
        equal((after['content'], after['meta']['done']), ('Admin: Hi Echo', True))


# ---------------------------------------------------------------- what a tab may say

@test('typing: members hear it, in the channel and in a thread; strangers to the channel are not heard')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    c = channel(s, ann, bob)
    with Tab(ann) as a, Tab(bob) as b, Tab(s.user('cat')) as other:
        before = s.stats()['events_refused']
        typing(a, c)
        until(lambda: b.heard(c))
        equal(b.channel_events[-1], {'channel_id': c, 'message_id': None, 'data': {'type': 'typing', 'data': {'typing': True}},
                                     'user': {'id': ann.id, 'name': 'ann', 'role': 'user', 'profile_image_url': '/user.png'}})
        typing(a, c, 'some-thread')
        until(lambda: len(b.heard(c)) == 2)
        equal(b.channel_events[-1]['message_id'], 'some-thread')
        typing(other, c)
        until(lambda: s.stats()['events_refused'] == before + 1)
        time.sleep(0.2)
        equal((len(b.heard(c)), other.heard(c)), (2, []))


@test('typing: nothing else is passed on')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    c = channel(s, ann, bob)
    with Tab(ann) as a, Tab(bob) as b:
        before = s.stats()['events_refused']
        for data in ({'type': 'message', 'data': {'content': 'forged'}}, {'type': 'message:delete', 'data': {}}, {'type': None}, {'type': ['typing']}, {}, [], 'typing', 5, None):
            a.io.emit('channel-events', {'channel_id': c, 'message_id': None, 'data': data})
        for whole in (None, [], 'x', {'channel_id': None, 'data': {'type': 'typing'}}, {'channel_id': {'a': 1}, 'data': {'type': 'typing'}}, {'data': {'type': 'typing'}}):
            a.io.emit('channel-events', whole)
        until(lambda: s.stats()['events_refused'] == before + 15, f"refused: {s.stats()['events_refused'] - before}")
        typing(a, c, ['x'], {'type': 'typing', 'data': {'typing': 'yes', 'more': 'x' * 1000}, 'more': 1})
        until(lambda: b.heard(c))
        equal(b.channel_events[-1]['data'], {'type': 'typing', 'data': {'typing': False}})
        equal((b.heard(c), b.channel_events[-1]['message_id']), (['typing'], None))


# ---------------------------------------------------------------- sockets that say nonsense

class Raw:
    """A WebSocket that speaks Engine.IO by hand; connected to the namespace, without a token."""

    def __init__(self, s, connect='40'):
        self.io = websocket.create_connection(f'ws://127.0.0.1:{s.port}/ws/socket.io/?EIO=4&transport=websocket', timeout=10)
        self.io.recv()
        if connect:
            self.io.send(connect)
            check(self.io.recv().startswith('40'), 'not connected')

    def emit(self, *event):
        self.io.send('42' + json.dumps(event))

    def closed(self, seconds=5):
        """Whether the server has closed it; pings are answered."""
        end = time.monotonic() + seconds
        self.io.settimeout(seconds)
        try:
            while time.monotonic() < end:
                got = self.io.recv()
                if got in ('', '1', '41'):
                    return True
                if got == '2':
                    self.io.send('3')
        except websocket.WebSocketTimeoutException:
            return False
        except (OSError, websocket.WebSocketException):
            return True
        return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.io.close()


@test('strangers: a socket without a token hears nothing, and is not heard')
def _(s):
    ann = s.user('ann')
    c = channel(s)
    with Tab(ann) as tab, Raw(s) as raw, Raw(s, '40{"token":"nonsense"}') as bad, Raw(s, '40' + json.dumps({'token': 'sk-' + 'a' * 32})) as key:
        before = s.stats()
        for x in (raw, bad, key):
            x.emit('join-channels', {'auth': {'token': 'nonsense'}})
            x.emit('channel-events', {'channel_id': c, 'data': {'type': 'typing'}})
            x.emit('usage', {'model': 'stub-small'})
        until(lambda: s.stats()['events_refused'] == before['events_refused'] + 9)
        post(ann, c)
        until(lambda: tab.heard(c))
        for x in (raw, bad, key):
            x.io.settimeout(0.3)
            try:
                check(False, 'a stranger heard ' + x.io.recv())
            except websocket.WebSocketTimeoutException:
                pass


@test('strangers: one that tries token after token is closed')
def _(s):
    with Raw(s) as raw:
        before = s.stats()['sockets_refused']
        for i in range(50):
            try:
                raw.emit('user-join', {'auth': {'token': f'guess-{i}'}})
            except (OSError, websocket.WebSocketException):
                break
        check(raw.closed(), 'still open')
        equal(s.stats()['sockets_refused'], before + 1)


@test('floods: 10,000 joins end the socket that sends them, and nobody else is disturbed')
def _(s):
    ann, c = s.user('ann'), channel(s)
    with Tab(s.user('bob')) as tab, Raw(s, '40' + json.dumps({'token': ann.token})) as raw:
        before, steps = s.stats()['sockets_refused'], s.stats()['steps']
        try:
            for _ in range(10000):
                raw.emit('join-channels', {'auth': {'token': ann.token}})
        except (OSError, websocket.WebSocketException):
            pass
        check(raw.closed(), 'still open')
        until(lambda: s.stats()['sockets_refused'] == before + 1)
        check(s.stats()['steps'] - steps < 310, f"{s.stats()['steps'] - steps} steps")
        post(ann, c)
        until(lambda: tab.heard(c), seconds=3)


@test('nonsense: unknown events and wrong arguments are counted, said once a socket, and harm nothing')
def _(s):
    ann, c = s.user('ann'), channel(s)
    odd = [None, [], {}, 0, -1.5, 'x', True, [[[]]], {'auth': None}, {'auth': []}, {'auth': {'token': None}}, {'auth': {'token': 5}}, {'auth': {'token': ['x']}}, {'model': {}}, 'x' * 10000]
    with Tab(ann) as tab:
        said = lambda: server_log(s).count('(said once a socket)')
        before, begin = s.stats(), said()
        for x in odd:
            for name in ('user-join', 'join-channels', 'usage', 'channel-events'):
                tab.io.emit(name, x)
            tab.io.emit('no-such-event', x)
            tab.io.emit('chat-events', x)
        until(lambda: s.stats()['events_unknown'] - before['events_unknown'] == 2 * len(odd), f"unknown: {s.stats()['events_unknown'] - before['events_unknown']}")
        refused = s.stats()['events_refused'] - before['events_refused']
        check(refused == 4 * len(odd), f'refused: {refused}')
        post(ann, c)
        until(lambda: tab.heard(c))
        until(lambda: said() > begin, 'the line in the log')
        time.sleep(0.3)
        equal(said() - begin, 1)


@test('nonsense: packets that are none end the socket')
def _(s):
    packets = ['9', '', '4', '49', '42', '42{}', '42[]', '42[5]', '42["x"', '42["x",]', '43[]', '430{}', '4299999999999999999999["x"]', '44"no"', '451-', '45["x"]', '4511-["x"]', '4599-["x"]',
               '42["x",NaN]', '42["x",' + '[' * 600 + ']' * 600 + ']', 'bAAA', 'b!', '42["x"]\x00']
    for p in packets:
        with Raw(s) as raw:
            raw.io.send(p)
            check(raw.closed(3), f'{p[:40]!r}: still open')
    with Raw(s) as raw:
        raw.io.send_binary(b'\x00')
        check(raw.closed(3), 'an attachment to nothing')
    with Raw(s) as raw:
        raw.io.send('451-["x",{"_placeholder":true,"num":3}]')
        raw.io.send_binary(b'\x00')
        check(raw.closed(3), 'a placeholder without attachment')
    with Raw(s) as raw:
        raw.io.send('451-["x",{"_placeholder":true,"num":0}]')
        raw.io.send('42["x"]')
        check(raw.closed(3), 'a packet between')


# ---------------------------------------------------------------- webhooks

@test('webhooks: nobody is told while he has a tab open; private addresses are refused')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    with Fake({'POST /ann': (200, 'text/plain', 'ok')}) as hook:
        for url in (hook.url + '/ann', hook.url.replace('127.0.0.1', 'localhost') + '/ann', hook.url.replace('127.0.0.1', '[::ffff:127.0.0.1]') + '/ann'):
            ann.post('/api/v1/users/user/settings/update', {'ui': {'notifications': {'webhook_url': url}}})
            failures = s.stats()['upstream_failures']
            c = channel(s, ann, bob)
            post(bob, c)
            until(lambda: s.stats()['upstream_failures'] == failures + 1, 'the refusal')
        with Tab(ann):
            calls = s.stats()['upstream_calls']
            post(bob, c)
            time.sleep(0.4)
            equal(s.stats()['upstream_calls'], calls)
        equal(hook.seen, [])


if __name__ == '__main__':
    main({'ENABLE_RAG_LOCAL_WEB_FETCH': 'false'})
