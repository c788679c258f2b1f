#!/usr/bin/env python3
"""Several machines: two installations that share a PostgreSQL and a Redis, and what passes between them; a Redis that goes away and comes back. The database is
PostgreSQL under either set-up: SQLite is for one machine."""
import argparse, contextlib, json, os, signal, socket, subprocess, sys, time, types, uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import *
from tabs import Tab

C = '/api/v1/channels/'
ADMIN_CONFIG = '/api/v1/auths/admin/config'
PREFIX = 'test-nodes'


def at(server, person):
    """The same person, at another machine."""
    return Client(server.url, person.token, person.id)


def until(claim, what='what was waited for', seconds=5):
    harness.until(claim, what, seconds)


def together(s):
    until(lambda: s.a.stats()['nodes'] == 1 and s.b.stats()['nodes'] == 1, 'both machines know each other', 15)


def redis(s, *command):
    with socket.create_connection(('127.0.0.1', s.redis.port), 5) as k:
        k.sendall(b'*%d\r\n' % len(command) + b''.join(b'$%d\r\n%s\r\n' % (len(c), c) for c in command))
        return k.recv(65536)


def channel(s, *members):
    rule = {'user_ids': [u.id for u in members], 'group_ids': []}
    r = s.a.admin().post(C + 'create', {'name': 'room', **({'access_control': {'read': rule, 'write': rule}} if members else {})})
    equal(r.status, 200, r.text())
    return r.json()['id']


def say(who, c, content='Hello'):
    r = who.post(f'{C}{c}/messages/post', {'content': content})
    equal(r.status, 200, r.text())
    return r.json()['id']


# ---------------------------------------------------------------- events

@test('they know each other, and Redis keeps nothing')
def _(s):
    together(s)
    equal(redis(s, b'DBSIZE'), b':0\r\n')


@test('channels: what is said at one machine is heard at the other; rooms follow the rules there, too')
def _(s):
    ann, bob = s.a.user('ann'), s.a.user('bob')
    with Tab(ann) as here, Tab(at(s.b, ann)) as there, Tab(at(s.b, bob)) as other:
        c = channel(s, ann)
        say(s.a.admin(), c)
        say(at(s.b, s.a.admin()), c)
        until(lambda: len(here.heard(c)) == 2 and len(there.heard(c)) == 2)
        here.io.emit('channel-events', {'channel_id': c, 'message_id': None, 'data': {'type': 'typing', 'data': {'typing': True}}})
        until(lambda: 'typing' in there.heard(c))
        s.a.admin().post(f'{C}{c}/update', {'name': 'room', 'access_control': {}})
        say(s.a.admin(), c)
        time.sleep(0.4)
        equal((here.heard(c).count('message'), there.heard(c).count('message'), other.heard(c)), (2, 2, []))


@test('chats: asked at one machine, heard at both, saved once; stopped from the other by its owner alone')
def _(s):
    ann = s.a.user('ann')
    with Tab(ann) as here, Tab(at(s.b, ann)) as there:
        a = here.ask('stub-small').wait()
        until(lambda: len(there.of(a.id)) == len(a.events), 'as many events there')
        equal(there.of(a.id), a.events)
        slow = here.ask('stub-slow').wait_words(2)
        task = slow.tasks()
        equal(at(s.b, ann).get(f'/api/tasks/chat/{slow.chat}').json()['task_ids'], task, 'tasks seen from the other')
        equal(at(s.b, s.a.user('bob')).post(f'/api/tasks/stop/{task[0]}').json()['status'], False)
        equal(at(s.b, s.a.user('bob')).get('/api/tasks').json()['tasks'], [])
        check(task[0] in at(s.b, s.a.admin()).get('/api/tasks').json()['tasks'], 'administrators see all')
        equal(at(s.b, ann).post(f'/api/tasks/stop/{task[0]}').json()['status'], True)
        slow.wait(5)
        until(lambda: at(s.b, ann).get(f'/api/tasks/chat/{slow.chat}').json()['task_ids'] == [])


@test('chats: a tab that joins at the other machine is told the text so far')
def _(s):
    ann = s.a.user('ann')
    with Tab(ann) as here:
        slow = here.ask('stub-slow').wait_words(4)
        with Tab(at(s.b, ann)) as there:
            until(lambda: any('word0 word1 word2' in json.dumps(e) for e in there.of(slow.id)), 'the text so far')
            slow.tab.person.post(f'/api/tasks/stop/{slow.tasks()[0]}')
            slow.wait(5)


@test('presence: who is there, and which models are in use, whichever machine is asked')
def _(s):
    ann, bob = s.a.user('ann'), s.a.user('bob')
    with Tab(ann) as here, Tab(at(s.b, bob)) as there:
        there.io.emit('usage', {'model': 'stub-large'})
        for server in (s.a, s.b):
            until(lambda: set(at(server, ann).get('/api/usage').json()['user_ids']) == {ann.id, bob.id}, 'both users')
            until(lambda: 'stub-large' in at(server, ann).get('/api/usage').json()['model_ids'], 'the model')
        equal(s.a.admin().get(f'/api/v1/users/{bob.id}/active').json()['active'], True)
    until(lambda: at(s.a, ann).get('/api/usage').json()['user_ids'] == [], 'nobody')


@test('webhooks: nobody is told who has a tab at the other machine')
def _(s):
    from providers import Fake
    ann = s.a.user('ann')
    with Fake({'POST /ann': (200, 'text/plain', 'ok')}) as hook:
        ann.post('/api/v1/users/user/settings/update', {'ui': {'notifications': {'webhook_url': hook.url + '/ann'}}})
        with Tab(at(s.b, ann)):
            c = channel(s)
            until(lambda: ann.id in s.a.admin().get('/api/usage').json()['user_ids'])
            say(s.a.user('bob'), c)
            time.sleep(0.5)
            equal(hook.seen, [])
        until(lambda: ann.id not in s.a.admin().get('/api/usage').json()['user_ids'])
        say(s.a.user('bob'), c)
        until(lambda: hook.seen, 'the webhook')
        ann.post('/api/v1/users/user/settings/update', {'ui': {}})


# ---------------------------------------------------------------- caches, tokens

@test('caches: a setting, a role, a group that changes at one machine has changed at the other')
def _(s):
    admin, ann = s.a.admin(), s.a.user('ann')
    there = at(s.b, admin)
    config = admin.get(ADMIN_CONFIG).json()
    for value in (not config['ENABLE_COMMUNITY_SHARING'], config['ENABLE_COMMUNITY_SHARING']):
        equal(admin.post(ADMIN_CONFIG, {**config, 'ENABLE_COMMUNITY_SHARING': value}).status, 200)
        until(lambda: there.get(ADMIN_CONFIG).json()['ENABLE_COMMUNITY_SHARING'] == value, 'the setting', 2)
    form = {'name': 'ann', 'email': 'ann@test.test', 'profile_image_url': '/user.png'}
    equal(at(s.b, ann).get('/api/v1/chats/').status, 200)
    admin.post(f'/api/v1/users/{ann.id}/update', {**form, 'role': 'pending'})
    until(lambda: at(s.b, ann).get('/api/v1/chats/').status == 401, 'the role', 2)
    admin.post(f'/api/v1/users/{ann.id}/update', {**form, 'role': 'user'})
    until(lambda: at(s.b, ann).get('/api/v1/chats/').status == 200, 'the role', 2)
    g = admin.post('/api/v1/groups/create', {'name': 'makers', 'description': ''}).json()['id']
    equal(at(s.b, ann).get('/api/v1/users/permissions').json()['workspace']['models'], False)
    admin.post(f'/api/v1/groups/id/{g}/update', {'name': 'makers', 'description': '', 'permissions': {'workspace': {'models': True}}, 'user_ids': [ann.id]})
    until(lambda: at(s.b, ann).get('/api/v1/users/permissions').json()['workspace']['models'], 'the group', 2)
    admin.delete(f'/api/v1/groups/id/{g}/delete')


def signed_in(s, name):
    r = s.a.anyone().post('/api/v1/auths/signin', {'email': f'{name}@test.test', 'password': PASSWORD})
    return Client(s.a.url, r.json()['token'], r.json()['id'])


@test('tokens: signed out at one machine is signed out at the other; so is a new password')
def _(s):
    s.a.user('ann')
    one, two = signed_in(s, 'ann'), signed_in(s, 'ann')
    equal((at(s.b, one).get('/api/v1/auths/').status, at(s.b, two).get('/api/v1/auths/').status), (200, 200))
    one.get('/api/v1/auths/signout')
    until(lambda: at(s.b, one).get('/api/v1/chats/').status == 401, 'the token', 3)
    equal(at(s.b, two).get('/api/v1/auths/').status, 200)
    s.a.user('pia')
    old = signed_in(s, 'pia')
    r = at(s.b, s.a.user('pia')).post('/api/v1/auths/update/password', {'password': PASSWORD, 'new_password': 'another-Pass-2'})
    equal(r.status, 200, r.text())
    until(lambda: old.get('/api/v1/auths/').status == 401, 'the old token', 3)
    lines = [open(server.data + '/revoked').read().split('\n') for server in (s.a, s.b)]
    equal(sorted(x for x in lines[0] if x), sorted(x for x in lines[1] if x), 'the lists')


@test('disconnect: the tabs of somebody who is demoted are closed everywhere')
def _(s):
    una = s.a.user('una')
    with Tab(at(s.b, una)) as there:
        s.a.admin().post(f'/api/v1/users/{una.id}/update', {'name': 'una', 'email': 'una@test.test', 'profile_image_url': '/user.png', 'role': 'pending'})
        until(lambda: not there.io.connected, 'closed')


# ---------------------------------------------------------------- the flows of the frontend

@test('flows: sockets at one machine, requests at the other')
def _(s):
    # Not "channel": what two machines say at the same moment has no order.
    flows = ['chat', 'reasoning tags', 'not streamed', 'upstream cut', 'two tabs', 'stop', 'tab closed', 'local chat', 'usage', 'browser tool', 'browser python']
    contract = os.path.join(ROOT, 'cgi-test', 'contract')
    s.a.admin().post('/api/v1/auths/add', {'name': 'Conform Admin', 'email': 'admin@conform.test', 'password': 'conform-Pass-1', 'role': 'admin', 'profile_image_url': '/user.png'})
    done = subprocess.run([python_with('socketio', 'requests', 'websocket'), os.path.join(contract, 'realtime'), 'replay', s.b.url,
                           os.path.join(contract, 'realtime.json'), *flows], env={**os.environ, 'STUB': s.stub.url, 'API_URL': s.a.url},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    text = done.stdout.decode('utf-8', 'replace')
    check(f'{len(flows)} passed, 0 failed' in text, text[-3000:])


# ---------------------------------------------------------------- bad days

@test('nonsense on the channel is left alone')
def _(s):
    name = f'{PREFIX}:webui-fcgi'.encode()
    for text in (b'', b'x', b'{}', b'[]', b'null\n', b'{"node":5,"op":"beat"}', b'{"node":"n","op":"state"}\n{"sessions":[[1],[],"x",["a"],[null,null]],"tasks":[1,{}]}', b'{"node":"n","op":"emit","room":"r"}\n',
                 b'{"node":"n","op":"ask"}', b'{"node":"n","op":"answer","ask":1}', b'{"node":"n","op":"counters","which":[-1,99,"x",1e30]}', b'{"node":"n","op":"revoked"}\nt x y\nu 1 zz -\n\0',
                 b'{"node":"n","op":"fill","room":"r"}\n[1,null]', b'{"node":"n","op":"here","sid":"s"}', b'{"node":"n","op":"gone"}', b'{"node":"n","op":"later"}', b'{"node":"n","op":"task"}\n[]', b'\xff\xfe' * 1000, b'{"node":"n","op":"bye"}'):
        equal(redis(s, b'PUBLISH', name, text), b':2\r\n', str(text[:40]))
    together(s)
    ann = s.a.user('ann')
    with Tab(at(s.b, ann)) as there:
        c = channel(s)
        say(ann, c)
        until(lambda: there.heard(c))


@test('Redis away: each goes on alone, says so once, and all is as before when it is back')
def _(s):
    ann = s.a.user('ann')
    warned = lambda: sum(open(os.path.join(LOGS, f)).read().count('Redis is away') for f in os.listdir(LOGS) if f.startswith('server'))
    before = warned()
    with Tab(ann) as here, Tab(at(s.b, ann)) as there:
        c, token = channel(s), signed_in(s, 'ann')
        config = s.a.admin().get(ADMIN_CONFIG).json()
        s.redis.end()
        try:
            until(lambda: s.a.stats()['nodes'] == 0 and s.b.stats()['nodes'] == 0, 'alone', 10)
            say(ann, c)
            until(lambda: here.heard(c))
            a = here.ask('stub-small').wait()
            equal(a.error, '')
            equal(there.ask('stub-small').wait().error, '')
            token.get('/api/v1/auths/signout')
            equal(s.a.admin().post(ADMIN_CONFIG, {**config, 'ENABLE_COMMUNITY_SHARING': not config['ENABLE_COMMUNITY_SHARING']}).status, 200)
            equal(there.heard(c), [])
            time.sleep(4)
            equal(warned() - before, 2, 'once a machine')
        finally:
            s.redis.begin()
        together(s)
        say(ann, c)
        until(lambda: there.heard(c), 'heard again')
        until(lambda: at(s.b, s.a.admin()).get(ADMIN_CONFIG).json()['ENABLE_COMMUNITY_SHARING'] != config['ENABLE_COMMUNITY_SHARING'], 'what was missed')
        until(lambda: at(s.b, token).get('/api/v1/chats/').status == 401, 'who was signed out')
        s.a.admin().post(ADMIN_CONFIG, config)


@test('Redis hangs: it is noticed, and left')
def _(s):
    ann = s.a.user('ann')
    s.redis.process.send_signal(signal.SIGSTOP)
    try:
        with Tab(ann) as here:
            c = channel(s)
            begin = time.monotonic()
            say(ann, c)
            until(lambda: here.heard(c), seconds=2)
            check(time.monotonic() - begin < 2, 'held up')
            until(lambda: s.a.stats()['nodes'] == 0, 'alone', 12)
    finally:
        s.redis.process.send_signal(signal.SIGCONT)
    together(s)


@test('a machine that is killed is forgotten, with its tabs; one that starts is known')
def _(s):
    ann, bob = s.a.user('ann'), s.a.user('bob')
    tab = Tab(at(s.b, bob))
    until(lambda: bob.id in ann.get('/api/usage').json()['user_ids'])
    pids = [int(p) for p in os.listdir('/proc') if p.isdigit() and os.path.exists(f'/proc/{p}/comm') and open(f'/proc/{p}/comm').read().strip() == 'webui-sidecar' and int(p) in s.b.left()]
    equal(len(pids), 1)
    os.kill(pids[0], signal.SIGKILL)
    tab.close()
    until(lambda: bob.id not in ann.get('/api/usage').json()['user_ids'], 'forgotten', 15)
    together(s)
    s.b.end()
    try:
        until(lambda: s.a.stats()['nodes'] == 0, 'one that says good-bye is forgotten at once', 3)
    finally:
        s.b.start()
    together(s)


# ---------------------------------------------------------------- Sentinels

class Sentinel(Service):
    def __init__(self, master_port):
        self.port, self.folder = free_port(), Folder('webui-sentinel-', {})
        conf = os.path.join(self.folder.path, 'sentinel.conf')
        with open(conf, 'w') as f:
            f.write(f'port {self.port}\nbind 127.0.0.1\ndir {self.folder.path}\nsentinel monitor main 127.0.0.1 {master_port} 1\n')
        self.spawn('sentinel', [tool('redis-server'), conf, '--sentinel'], os.environ, '/tmp')
        wait_until(lambda: connects(self.port), 10, 'the Sentinel', self.process)

    def stop(self):
        self.end()
        self.folder.remove()


def connects(port):
    with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), 1):
        return True
    return False


@test('Sentinels: the first that answers says where Redis is')
def _(s):
    with Sentinel(s.redis.port) as sentinel:
        env = {**s.env, 'REDIS_URL': 'redis://main/0', 'REDIS_SENTINEL_HOSTS': '127.0.0.2,127.0.0.1', 'REDIS_SENTINEL_PORT': str(sentinel.port)}
        with Server(s.a.web_server, s.url, s.stub, env) as third:
            until(lambda: third.stats()['nodes'] == 2, 'it knows both', 20)


@test('WEBSOCKET_REDIS_URL goes before REDIS_URL; an address that is none leaves a machine alone')
def _(s):
    with Server(s.a.web_server, s.url, s.stub, {**s.env, 'WEBSOCKET_MANAGER': 'redis', 'WEBSOCKET_REDIS_URL': s.redis.url, 'REDIS_URL': 'redis://127.0.0.1:1/0'}) as third:
        until(lambda: third.stats()['nodes'] == 2, 'it knows both', 15)
    with Server(s.a.web_server, s.url, s.stub, {**s.env, 'REDIS_URL': 'rediss://127.0.0.1:1/0'}) as third:
        equal(third.anyone().get('/health').status, 200)
        time.sleep(1)
        equal(third.stats()['nodes'], 0)


# ---------------------------------------------------------------- the installation

class Restarted(harness.Redis):
    """A Redis that comes back where it was."""

    def begin(self):
        self.spawn('redis', [tool('redis-server'), '--port', str(self.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], os.environ, '/tmp')
        wait_until(lambda: connects(self.port), 10, 'Redis', self.process)

    def stop(self):
        with contextlib.suppress(AssertionError):
            self.end()


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--server', choices=SERVERS, default='lighttpd')
    options.add_argument('--database', choices=DATABASES, default='postgres')
    options.add_argument('--only', default='')
    args = options.parse_args()
    raise_limits()
    chosen = [(label, function) for label, function in harness.TESTS if args.only in label]
    passed = failed = 0
    try:
        with contextlib.ExitStack() as stack:
            s = types.SimpleNamespace(stub=stack.enter_context(Stub()), redis=stack.enter_context(Restarted()))
            s.url = stack.enter_context(Postgres()).create()
            s.env = {'REDIS_URL': s.redis.url, 'REDIS_KEY_PREFIX': PREFIX, 'BYPASS_MODEL_ACCESS_CONTROL': 'true'}
            s.a = stack.enter_context(Server(args.server, s.url, s.stub, s.env))
            s.b = stack.enter_context(Server(args.server, s.url, s.stub, s.env))
            for label, function in chosen:
                ok = outcome(f'{label} ({args.server})', lambda: function(s))
                passed, failed = passed + ok, failed + (not ok)
    except (Missing, AssertionError) as e:
        print(f'FAILED: {e}')
        failed += max(1, len(chosen) - passed - failed)
    sys.exit(total(passed, failed))


if __name__ == '__main__':
    main()
