#!/usr/bin/env python3
"""/api/v1/auths: sessions, passwords, sign-up, API keys, the settings of signing in; and what must not work."""
import base64, hashlib, hmac, threading

from harness import *

A = '/api/v1/auths/'
SECRET = 'conformance-secret-key-0123456789abcdef'
INVALID = '401 Unauthorized'
CONFIG = {'SHOW_ADMIN_DETAILS': True, 'WEBUI_URL': 'http://127.0.0.1:8080', 'ENABLE_SIGNUP': False, 'ENABLE_API_KEY': True,
          'ENABLE_API_KEY_ENDPOINT_RESTRICTIONS': False, 'API_KEY_ALLOWED_ENDPOINTS': '', 'DEFAULT_USER_ROLE': 'pending', 'JWT_EXPIRES_IN': '-1',
          'ENABLE_COMMUNITY_SHARING': True, 'ENABLE_MESSAGE_RATING': True, 'ENABLE_CHANNELS': True, 'ENABLE_NOTES': True, 'ENABLE_USER_WEBHOOKS': True,
          'PENDING_USER_OVERLAY_TITLE': '', 'PENDING_USER_OVERLAY_CONTENT': '', 'RESPONSE_WATERMARK': ''}
LDAP = {'label': 'L', 'host': 'h', 'app_dn': 'cn=x', 'app_dn_password': 'x', 'search_base': 'dc=x'}
PERSON = {'name': 'New', 'email': 'new@auths.test', 'password': PASSWORD}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def forge(claims, header='{"alg":"HS256","typ":"JWT"}', key=SECRET, digest=hashlib.sha256):
    text = b64(header.encode()) + '.' + b64(json.dumps(claims).encode())
    return text + '.' + b64(hmac.new(key.encode(), text.encode(), digest).digest())


def with_token(s, token, **more):
    return Client(s.url, token).get(A, **more)


def signin(s, email, password=PASSWORD, **more):
    return s.anyone().post(A + 'signin', {'email': email, 'password': password}, **more)


def session(s, name):
    """A further session of that person."""
    s.user(name)
    r = signin(s, f'{name}@test.test')
    equal(r.status, 200, r.text())
    return Client(s.url, r.json()['token'], r.json()['id'])


def config(s, **changes):
    r = s.admin().post(A + 'admin/config', {**CONFIG, **changes})
    equal(r.status, 200, r.text())


# ---------------------------------------------------------------- the four sides

four_sides('session', 'GET', A, other_status=None)
four_sides('profile', 'POST', A + 'update/profile', {'name': 'ann', 'profile_image_url': '/user.png', 'date_of_birth': '1990-02-28'},
           wrong={'name': 'ann', 'profile_image_url': '/user.png', 'date_of_birth': '1990-02-30'}, other_status=None)
four_sides('password', 'POST', A + 'update/password', {'password': PASSWORD, 'new_password': PASSWORD}, wrong={'password': PASSWORD},
           owner='cleo', other_status=None)
four_sides('add a user', 'POST', A + 'add', PERSON, wrong={**PERSON, 'email': 'no address'}, wrong_status=400, owner='admin')
four_sides('admin details', 'GET', A + 'admin/details', other_status=None)
four_sides('general settings', 'GET', A + 'admin/config', owner='admin')
four_sides('change the general settings', 'POST', A + 'admin/config', CONFIG, wrong={**CONFIG, 'ENABLE_NOTES': 'perhaps'}, owner='admin')
four_sides('LDAP server', 'GET', A + 'admin/config/ldap/server', owner='admin')
four_sides('change the LDAP server', 'POST', A + 'admin/config/ldap/server', LDAP, wrong={**LDAP, 'host': ''}, wrong_status=400, owner='admin')
four_sides('LDAP', 'GET', A + 'admin/config/ldap', owner='admin')
four_sides('turn LDAP off', 'POST', A + 'admin/config/ldap', {'enable_ldap': False}, wrong={'enable_ldap': 'perhaps'}, owner='admin')
four_sides('make an API key', 'POST', A + 'api_key', owner='dan', other_status=None)
four_sides('the API key', 'GET', A + 'api_key', owner='dan', other_status=None)
four_sides('delete the API key', 'DELETE', A + 'api_key', owner='dan', other_status=None)


@test('an API key is its owner\'s alone')
def _(s):
    equal(s.user('dora').post(A + 'api_key').status, 200)
    equal(s.user('bob').get(A + 'api_key').status, 404)
    equal(s.user('bob').delete(A + 'api_key').status, 200)
    equal(s.user('dora').get(A + 'api_key').status, 200)


@test('LDAP sign-in is refused while it is off')
def _(s):
    equal(s.anyone().post(A + 'ldap', {'user': 'x', 'password': 'y'}).status, 400)
    equal(s.anyone().post(A + 'ldap', {'user': 'x'}).status, 422)


# ---------------------------------------------------------------- tokens

@test('a token made by the Python backend is good')
def _(s):
    ann = s.user('ann')
    equal(with_token(s, forge({'id': ann.id})).json()['id'], ann.id)
    equal(with_token(s, forge({'id': ann.id, 'exp': int(time.time()) + 60})).status, 200)


@test('tokens that somebody made up are not')
def _(s):
    ann = s.user('ann')
    now = int(time.time())
    parts = ann.token.split('.')
    for label, token in {
            'no signature': parts[0] + '.' + parts[1] + '.',
            'alg none': b64(b'{"alg":"none"}') + '.' + parts[1] + '.',
            'alg None, signed': forge({'id': ann.id}, '{"alg":"None"}'),
            'another algorithm': forge({'id': ann.id}, '{"alg":"HS512"}', digest=hashlib.sha512),
            'empty key': forge({'id': ann.id}, key=''),
            'another key': forge({'id': ann.id}, key='t0p-s3cr3t'),
            'expired': forge({'id': ann.id, 'exp': now - 120}),
            'not yet': forge({'id': ann.id, 'nbf': now + 600}),
            'exp is text': forge({'id': ann.id, 'exp': str(now + 600)}),
            'id is a list': forge({'id': [ann.id]}),
            'id is true': forge({'id': True}),
            'no id': forge({'sub': ann.id}),
            'the claims of another': parts[0] + '.' + b64(json.dumps({'id': s.admin().id}).encode()) + '.' + parts[2],
            'padding': ann.token + '='}.items():
        equal(with_token(s, token).status, 401, label)
    equal(with_token(s, forge({'id': 'nobody'})).status, 401)
    equal(with_token(s, forge({'id': "' OR '1'='1"})).status, 401)


@test('the header comes before the cookie, and the query is not asked')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    cookie = {'Cookie': 'a=b; token=' + bob.token}
    equal(s.anyone().get(A, headers=cookie).json()['id'], bob.id)
    equal(ann.get(A, headers=cookie).json()['id'], ann.id)
    equal(s.anyone().get(A, headers={**cookie, 'Authorization': 'Bearer rubbish'}).status, 401)
    equal(s.anyone().get(A + '?token=' + ann.token).status, 401)


@test('the cookie of a session is not for scripts')
def _(s):
    for r in (s.user('ann').get(A), signin(s, 'ann@test.test')):
        cookie = r.headers['set-cookie']
        check(cookie.startswith('token=') and 'HttpOnly' in cookie and 'SameSite=lax' in cookie and 'Path=/' in cookie, cookie)


@test('who signs out ends that session and no other')
def _(s):
    one, two = session(s, 'eve'), session(s, 'eve')
    equal(one.get(A).status, 200)
    equal(one.get(A + 'signout').json(), {'status': True})
    for _ in range(8):                  # whichever process answers
        r = one.get(A)
        equal((r.status, r.json()), (401, {'detail': INVALID}))
        equal(two.get(A).status, 200)
    three = session(s, 'eve')
    equal(s.anyone().get(A + 'signout', headers={'Cookie': 'token=' + three.token}).status, 200)
    equal(three.get(A).status, 401)
    equal(s.anyone().get(A + 'signout', headers={'Authorization': 'Bearer rubbish'}).status, 200)


@test('a legacy token ends when it is signed out')
def _(s):
    fay = s.user('fay')
    legacy = Client(s.url, forge({'id': fay.id}))
    equal(legacy.get(A).status, 200)
    legacy.get(A + 'signout')
    equal(legacy.get(A).status, 401)
    equal(fay.get(A).status, 200)


@test('a new password ends all sessions but the one that made it')
def _(s):
    one, two = session(s, 'gil'), session(s, 'gil')
    legacy = Client(s.url, forge({'id': one.id}))
    equal((two.get(A).status, legacy.get(A).status), (200, 200))
    equal(one.post(A + 'update/password', {'password': PASSWORD, 'new_password': 'gil-Pass-2'}).json(), True)
    for _ in range(8):
        equal([c.get(A).status for c in (one, two, legacy)], [200, 401, 401])
    r = signin(s, 'gil@test.test', 'gil-Pass-2')
    equal(r.status, 200)
    equal(with_token(s, r.json()['token']).status, 200)
    equal(signin(s, 'gil@test.test').status, 400)


@test('a password needs the old one, 72 bytes at most, and no NUL')
def _(s):
    hal = s.user('hal')
    for form, status in (({'password': 'wrong', 'new_password': 'x'}, 400), ({'password': PASSWORD, 'new_password': 'x' * 73}, 400),
                         ({'password': PASSWORD, 'new_password': 'a\0b'}, 400), ({'password': PASSWORD + '\0', 'new_password': 'b'}, 400)):
        equal(hal.post(A + 'update/password', form).status, status, str(form))
    equal(signin(s, 'hal@test.test').status, 200)
    equal(signin(s, 'hal@test.test', PASSWORD + '\0x').status, 400)


@test('a role that was taken away is gone at once')
def _(s):
    ida = s.user('ida', 'admin')
    equal(ida.get('/api/v1/users/').status, 200)
    form = {'role': 'pending', 'name': 'ida', 'email': 'ida@test.test', 'profile_image_url': '/user.png'}
    equal(s.admin().post(f'/api/v1/users/{ida.id}/update', form).status, 200)
    for _ in range(8):
        equal(ida.get('/api/v1/users/').status, 401)
        equal(ida.get('/api/v1/users/user/settings').status, 401)
        equal(ida.get(A).json()['role'], 'pending')


@test('nobody outside asks who a token belongs to')
def _(s):
    ann = s.user('ann')
    for path in ('/internal/session', '//internal/session', '/api/../internal/session'):
        r = ann.post(path, {'token': ann.token}, headers={'WEBUI_INTERNAL': '1', 'WEBUI-INTERNAL': '1'})
        check(r.status >= 400 and ann.id not in r.text(), f'{path}: {r}')


# ---------------------------------------------------------------- signing in and up

@test('guessing a password is stopped, for the right one too, and for that account alone')
def _(s):
    s.user('jim'), s.user('kim')
    statuses = [signin(s, 'jim@test.test', f'guess {i}').status for i in range(14)]
    equal(statuses[:10], [400] * 10)
    equal(statuses[10:], [429] * 4)
    r = signin(s, 'JIM@test.test')
    equal(r.status, 429)
    check('retry-after' in r.headers, 'no Retry-After')
    equal(s.user('jim').get(A).status, 200, 'the session that there is')
    equal(signin(s, 'kim@test.test').status, 200)


@test('the own password cannot be guessed from a session either')
def _(s):
    leo = s.user('leo')
    statuses = []
    while len(statuses) < 20 and 429 not in statuses:      # more than ten only if a window ends meanwhile
        statuses.append(leo.post(A + 'update/password', {'password': f'guess {len(statuses)}', 'new_password': 'x'}).status)
    check(statuses[-1] == 429 and len(statuses) > 10 and set(statuses[:-1]) == {400}, statuses)


@test('an unknown address costs the time of a known one, and says the same')
def _(s):
    s.user('moe')

    def timed(email):
        best = 9
        for i in range(3):
            start = time.monotonic()
            r = signin(s, email, 'wrong')
            best = min(best, time.monotonic() - start)
        return best, r.json()
    known, unknown = timed('moe@test.test'), timed('nobody@auths.test')
    equal(known[1], unknown[1])
    check(0.4 < unknown[0] / known[0] < 2.5, f'{known[0]:.3f} s and {unknown[0]:.3f} s')


@test('sign-up is closed after the first account, and open when an admin opens it')
def _(s):
    form = {'name': 'Nan', 'email': 'Nan@Auths.test', 'password': PASSWORD, 'role': 'admin', 'id': 'mine'}
    s.admin()
    config(s)
    equal(s.anyone().post(A + 'signup', form).status, 403)
    config(s, ENABLE_SIGNUP=True)
    r = s.anyone().post(A + 'signup', form)
    equal(r.status, 200, r.text())
    equal((r.json()['role'], r.json()['email']), ('pending', 'nan@auths.test'))
    check(r.json()['id'] != 'mine')
    equal(s.anyone().post(A + 'signup', form).status, 400)
    for email in ('', 'x', 'x@nodot', '@a.b', 'a\0@b.c', 'a' * 300 + '@b.c'):
        equal(s.anyone().post(A + 'signup', {**form, 'email': email}).status, 400, email[:20])
    equal(s.anyone().post(A + 'signup', {**form, 'email': 'long@auths.test', 'password': 'x' * 73}).status, 500)
    config(s)


@test('the same sign-up many times at once makes one account')
def _(s):
    s.admin()
    config(s, ENABLE_SIGNUP=True)
    statuses = []

    def signup():
        statuses.append(s.anyone().post(A + 'signup', {'name': 'Once', 'email': 'once@auths.test', 'password': PASSWORD}).status)
    threads = [threading.Thread(target=signup) for _ in range(6)]
    [t.start() for t in threads], [t.join() for t in threads]
    config(s)
    equal(sorted(statuses), [200] + [400] * 5)
    equal(len(s.admin().get('/api/v1/users/?query=once@auths.test').json()['users']), 1)


@test('sessions last as long as the admin says')
def _(s):
    s.user('oto')
    for duration, status in (('1h', 200), ('90m', 200), ('-5s', 401)):
        config(s, JWT_EXPIRES_IN=duration)
        r = signin(s, 'oto@test.test')
        expires = r.json()['expires_at']
        check('expires=' in r.headers['set-cookie'], duration)
        equal(with_token(s, r.json()['token']).status, status, duration)
        if status == 200:
            equal(with_token(s, r.json()['token']).json()['expires_at'], expires)
    config(s)
    equal(signin(s, 'oto@test.test').json()['expires_at'], None)


@test('API keys: endpoints, the switch, deletion, however the key is sent')
def _(s):
    pam = s.user('pam')
    key = pam.post(A + 'api_key').json()['api_key']
    check(re.fullmatch(r'sk-[0-9a-f]{32}', key), key)
    ways = [{'Authorization': 'Bearer ' + key}, {'Authorization': 'bearer ' + key}, {'Cookie': 'token=' + key}]

    def get(path):
        return [s.anyone().get(path, headers=way).status for way in ways]
    equal(get(A), [200] * 3)
    config(s, ENABLE_API_KEY_ENDPOINT_RESTRICTIONS=True, API_KEY_ALLOWED_ENDPOINTS='/api/v1/users')
    equal(get(A), [403] * 3)
    equal(get('/api/v1/users/permissions'), [200] * 3)
    for path in ('/api/v1/users/../auths/', '/api/v1/users/%2e%2e/auths/', '/api/v1/users%2f..%2fauths/', '/api/v1/users/;/../auths/'):
        for way in ways:
            check(pam.id not in s.anyone().get(path, headers=way).text(), path)
    config(s, ENABLE_API_KEY=False)
    equal(get(A), [403] * 3)
    equal(pam.post(A + 'api_key').status, 403)
    config(s)
    for wrong in ('sk-', 'sk-%', key[:-1], key + '0', key.upper()):
        check(s.anyone().get(A, headers={'Authorization': 'Bearer ' + wrong}).status in (401, 403), wrong)
    equal(pam.post(A + 'api_key').status, 200)
    equal(get(A), [401] * 3)


@test('one\'s own profile has no role and no address')
def _(s):
    ron = s.user('ron')
    form = {'name': 'Ron <b>', 'profile_image_url': '/user.png', 'role': 'admin', 'email': 'x@y.z', 'id': 'x', 'bio': 'é\n"', 'date_of_birth': '1990-02-28'}
    r = ron.post(A + 'update/profile', form)
    equal((r.status, r.json()['role'], r.json()['email'], r.json()['id']), (200, 'user', 'ron@test.test', ron.id))
    mine = ron.get(A).json()
    equal((mine['name'], mine['bio'], mine['date_of_birth'], mine['gender']), ('Ron <b>', 'é\n"', '1990-02-28', None))


@test('a form of another site is not taken')
def _(s):
    body = json.dumps({'email': 'ann@test.test', 'password': PASSWORD}).encode()
    for type in ('text/plain', 'application/x-www-form-urlencoded'):
        equal(s.anyone().request('POST', A + 'signin', body=body, headers={'Content-Type': type}).status, 422, type)


if __name__ == '__main__':
    main()
