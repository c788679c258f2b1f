#!/usr/bin/env python3
"""Signing in as the operator wants it: without sign-in, by the web server's word, with a closed form, with a webhook, with a demo account. Each
test starts an installation of its own."""
import http.server, threading

from harness import *

A = '/api/v1/auths/'
FORM = {'name': 'First', 'email': 'first@modes.test', 'password': PASSWORD}


def other(s, **env):
    """A further installation with these variables."""
    return Server(s.web_server, 'sqlite', s.stub, {k: v for k, v in env.items()})


def signin(s, email='', password='', **headers):
    return s.anyone().post(A + 'signin', {'email': email, 'password': password}, headers=headers)


@test('WEBUI_AUTH=false: everybody is the one local admin')
def _(s):
    with other(s, WEBUI_AUTH='false') as o:
        equal(o.anyone().get(A).status, 401)
        one, two = signin(o).json(), signin(o, 'whoever@x.y', 'whatever').json()
        equal((one['email'], one['role'], one['id']), ('admin@localhost', 'admin', two['id']))
        equal(o.anyone().post(A + 'signup', FORM).status, 403)


@test('WEBUI_AUTH=false is refused where there are users')
def _(s):
    with other(s) as o:
        equal(o.anyone().post(A + 'signup', FORM).status, 200)
        o.end()
        o.env['WEBUI_AUTH'] = 'false'
        o.start()
        r = signin(o)
        equal(r.status, 400)
        check('existing users' in r.json()['detail'], r.text())


@test('a trusted header signs in, makes accounts, and names groups')
def _(s):
    env = {'WEBUI_AUTH_TRUSTED_EMAIL_HEADER': 'X-User-Email', 'WEBUI_AUTH_TRUSTED_NAME_HEADER': 'X-User-Name',
           'WEBUI_AUTH_TRUSTED_GROUPS_HEADER': 'X-Groups', 'CONFIG_PRECEDENCE': 'environment'}
    with other(s, **env) as o:
        r = signin(o, 'first@modes.test', PASSWORD)
        equal(r.status, 400, 'without the header nobody signs in')
        boss = {k: r.json().get(k) for r in [signin(o, **{'X-User-Email': 'Boss@Modes.test', 'X-User-Name': 'The Boss'})] for k in ('email', 'name', 'role', 'token')}
        equal((boss['email'], boss['name'], boss['role']), ('boss@modes.test', 'The Boss', 'admin'))
        admin = Client(o.url, boss['token'])
        group = admin.post('/api/v1/groups/create', {'name': 'dev', 'description': ''}).json()['id']
        r = signin(o, **{'X-User-Email': 'w@modes.test', 'X-Groups': 'dev, unknown'})
        equal(r.json()['role'], 'pending')
        equal(admin.get('/api/v1/groups/id/' + group).json()['user_ids'], [r.json()['id']])
        signin(o, **{'X-User-Email': 'w@modes.test', 'X-Groups': 'another'})
        equal(admin.get('/api/v1/groups/id/' + group).json()['user_ids'], [])
        equal(admin.get(A, headers={'X-User-Email': 'boss@modes.test'}).status, 200)
        equal(admin.get(A, headers={'X-User-Email': 'w@modes.test'}).status, 401)
        equal(admin.post(A + 'update/password', {'password': 'x', 'new_password': 'y'}).status, 400)


@test('headers that look trusted are nothing where none is set')
def _(s):
    s.admin()
    r = signin(s, **{'X-User-Email': 'admin@test.test', 'Remote-User': 'admin@test.test'})
    equal(r.status, 400)
    equal(s.anyone().get(A, headers={'X-User-Email': 'admin@test.test', 'Remote-User': 'admin@test.test'}).status, 401)


@test('a closed form: nobody signs up, but the first admin where he may')
def _(s):
    env = {'ENABLE_SIGNUP': 'false', 'ENABLE_LOGIN_FORM': 'false', 'CONFIG_PRECEDENCE': 'environment'}
    with other(s, **env) as o:
        equal(o.anyone().post(A + 'signup', FORM).status, 403)
    with other(s, ENABLE_INITIAL_ADMIN_SIGNUP='true', **env) as o:
        statuses, roles = [], []

        def signup(i):
            r = o.anyone().post(A + 'signup', {**FORM, 'email': f'first{i}@modes.test'})
            statuses.append(r.status)
            roles.append(r.json().get('role'))
        threads = [threading.Thread(target=signup, args=(i,)) for i in range(6)]
        [t.start() for t in threads], [t.join() for t in threads]
        equal(sorted(statuses), [200] + [403] * 5)
        equal(roles.count('admin'), 1)


@test('many first sign-ups at once: one admin, and sign-up is closed behind him')
def _(s):
    with other(s) as o:
        answers = []

        def signup(i):
            answers.append(o.anyone().post(A + 'signup', {**FORM, 'email': f'first{i}@modes.test'}))
        threads = [threading.Thread(target=signup, args=(i,)) for i in range(8)]
        [t.start() for t in threads], [t.join() for t in threads]
        equal([r.json()['role'] for r in answers if r.status == 200], ['admin'])
        equal(sorted(r.status for r in answers)[1:], [403] * 7)
        equal(o.anyone().post(A + 'signup', {**FORM, 'email': 'late@modes.test'}).status, 403)


@test('cookies as the operator wants them')
def _(s):
    with other(s, WEBUI_AUTH_COOKIE_SECURE='true', WEBUI_AUTH_COOKIE_SAME_SITE='strict', WEBUI_AUTH_SIGNOUT_REDIRECT_URL='https://bye.test/') as o:
        r = o.anyone().post(A + 'signup', FORM)
        check('Secure' in r.headers['set-cookie'] and 'SameSite=strict' in r.headers['set-cookie'], r.headers['set-cookie'])
        equal(o.anyone().get(A + 'signout').json(), {'status': True, 'redirect_url': 'https://bye.test/'})


@test('a webhook hears of sign-ups, and one that hangs holds nobody up for long')
def _(s):
    heard, hang = [], threading.Event()

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(json.loads(self.rfile.read(int(self.headers['Content-Length']))))
            if self.path == '/hang':
                hang.wait(20)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass
    hook = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Hook)
    hook.daemon_threads = True
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    try:
        for path in ('/', '/hang'):
            with other(s, WEBHOOK_URL=f'http://127.0.0.1:{hook.server_port}{path}', CONFIG_PRECEDENCE='environment') as o:
                start = time.monotonic()
                equal(o.anyone().post(A + 'signup', {**FORM, 'name': 'Zoë'}).status, 200)
                check(time.monotonic() - start < 8, 'the sign-up waited for the webhook')
        equal([(h['action'], h['message'], json.loads(h['user'])['role']) for h in heard], [('signup', 'New user signed up: Zoë', 'admin')] * 2)
        check('password' not in json.dumps(heard))
    finally:
        hang.set()
        hook.shutdown()


@test('DEMO_ACCOUNT=true: an account on an empty installation, and on no other')
def _(s):
    with other(s, DEMO_ACCOUNT='true') as o:
        r = signin(o, 'test@test.com', 'test1234')
        equal((r.status, r.json().get('role')), (200, 'admin'))
    with other(s) as o:
        equal(o.anyone().post(A + 'signup', FORM).status, 200)
        o.end()
        o.env['DEMO_ACCOUNT'] = 'true'
        o.start()
        equal(signin(o, 'test@test.com', 'test1234').status, 400)


@test('revoked tokens stay revoked over a restart')
def _(s):
    with other(s) as o:
        token = o.anyone().post(A + 'signup', FORM).json()['token']
        again = signin(o, FORM['email'], PASSWORD).json()['token']
        Client(o.url, token).get(A + 'signout')
        o.end()
        o.start()
        equal(Client(o.url, token).get(A).status, 401)
        equal(Client(o.url, again).get(A).status, 200)


if __name__ == '__main__':
    main()
