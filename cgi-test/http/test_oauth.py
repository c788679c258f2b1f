#!/usr/bin/env python3
"""Signing in at an identity provider: who gets in and as whom, what is checked on the way, tokens that are kept, and tool servers that want tokens."""
import base64, html, re, sqlite3, urllib.parse

from tool_world import ToolWorld
from fake_idp import HOSTS, WRONG, Idp, Key, b64
from harness import *

CRED = 'The email or password provided is incorrect. Please check for typos and try logging in again.'
TAKEN = 'Uh-oh! This email is already registered.'
PROHIBITED = 'You do not have permission to access this resource.'
IDP = Idp()
ENV = {'OAUTH_CLIENT_ID': 'webui', 'OAUTH_CLIENT_SECRET': 's:cret/1', 'OPENID_PROVIDER_URL': IDP.url + '/.well-known/openid-configuration', 'ENABLE_OAUTH_SIGNUP': 'true',
       'OAUTH_PROVIDER_NAME': 'Fake', 'DEFAULT_USER_ROLE': 'user', 'WEBUI_URL': None, 'CONFIG_PRECEDENCE': None,
       'GOOGLE_CLIENT_ID': 'g', 'GOOGLE_CLIENT_SECRET': 'g', 'GITHUB_CLIENT_ID': 'h', 'GITHUB_CLIENT_SECRET': 'h', 'FEISHU_CLIENT_ID': 'f', 'FEISHU_CLIENT_SECRET': 'f',
       'MICROSOFT_CLIENT_ID': 'm', 'MICROSOFT_CLIENT_SECRET': 'm', 'MICROSOFT_CLIENT_TENANT_ID': 'common', 'MICROSOFT_CLIENT_LOGIN_BASE_URL': IDP.url,
       'MICROSOFT_CLIENT_PICTURE_URL': IDP.url + '/picture.png', 'https_proxy': IDP.proxy, 'SSL_CERT_FILE': IDP.ca, 'ENABLE_RAG_LOCAL_WEB_FETCH': 'false'}


class Browser:
    """Keeps cookies of the server under test, follows no redirect by itself."""

    def __init__(self, s, token=None):
        self.s, self.cookies, self.set, self.token = s, {}, {}, token

    def go(self, url, method='GET', body=None):
        u = urllib.parse.urlsplit(url)
        ours = u.netloc in ('', f'127.0.0.1:{self.s.port}')
        host, path = ('127.0.0.1', self.s.port) if ours else (u.hostname, u.port), u.path + ('?' + u.query if u.query else '')
        if u.hostname in HOSTS:
            host = ('127.0.0.1', IDP.host)
        c = http.client.HTTPConnection(*host, timeout=30)
        head = {'Host': u.netloc} if u.hostname in HOSTS else {}
        if ours:
            head['Cookie'] = '; '.join(f'{k}={v}' for k, v in self.cookies.items())
            if self.token:
                head['Authorization'] = 'Bearer ' + self.token
        c.request(method, path, body, head)
        r = c.getresponse()
        out = Response(r.status, {k.lower(): v for k, v in r.getheaders()}, r.read())
        if ours:
            self.set = {}
            for line in r.headers.get_all('Set-Cookie') or []:
                name, rest = line.split('=', 1)
                self.set[name] = rest
                value = rest.split(';')[0]
                if 'Max-Age=0' in rest:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = value
        c.close()
        return out

    def away(self, provider='oidc'):
        """To the provider; returns the address that the browser comes back to."""
        r = self.go(f'{self.s.url}/oauth/{provider}/login')
        equal(r.status, 302, r.text())
        self.asked = urllib.parse.urlsplit(r.headers['location'])
        r = self.go(r.headers['location'])
        equal(r.status, 302, r.text())
        return r.headers['location']

    def sign_in(self, provider='oidc'):
        r = self.go(self.away(provider))
        equal(r.status, 307, r.text())
        return r.headers['location']


def signed_in(s, provider='oidc'):
    """A browser that got in, and what the session says of it."""
    b = Browser(s)
    equal(b.sign_in(provider), '/auth')
    b.token = b.cookies['token']
    r = b.go(s.url + '/api/v1/auths/')
    equal(r.status, 200, r.text())
    return b, r.json()


def refused(s, want, provider='oidc'):
    b = Browser(s)
    where = b.sign_in(provider)
    check(where.startswith('/auth?error='), where)
    text = urllib.parse.unquote(where.split('=', 1)[1])
    check(text.startswith(want), f'want {want!r}, got {text!r}')
    check('token' not in b.cookies and 'oauth_session_id' not in b.cookies, 'no cookie')
    check(not any(c.startswith('oauth_state') for c in b.cookies), 'the flow is over')


def person(s, name, **claims):
    IDP.reset()
    s.admin()
    IDP.claims = {'sub': name, 'email': f'{name}@idp.test', 'email_verified': True, 'name': name.title()} | claims


@test('oauth: a first sign-in makes an account, the next finds it')
def _(s):
    person(s, 'pat', email='Pat@IDP.test')
    b, me = signed_in(s)
    equal((me['email'], me['name'], me['role']), ('pat@idp.test', 'Pat', 'user'))
    asked = dict(urllib.parse.parse_qsl(b.asked.query))
    equal((asked['response_type'], asked['client_id'], asked['scope'], asked['code_challenge_method'], asked['redirect_uri']),
          ('code', 'webui', 'openid email profile', 'S256', s.url + '/oauth/oidc/login/callback'))
    check(len(asked['state']) == 32 and len(asked['nonce']) == 32 and len(asked['code_challenge']) == 43)
    equal(base64.b64decode(IDP.asked('/token')[0]['headers']['authorization'].split()[1]).decode(), 'webui:s%3Acret%2F1')
    IDP.claims['email'] = 'moved@idp.test'
    equal(signed_in(s)[1]['id'], me['id'])
    row = [u for u in s.admin().get('/api/v1/users/?query=pat@idp').json()['users']][0]
    equal(row['oauth_sub'], 'oidc@pat')
    check(s.anyone().post('/api/v1/auths/signin', {'email': 'pat@idp.test', 'password': ''}).status == 400)


@test('oauth: cookies')
def _(s):
    person(s, 'cookies')
    b = Browser(s)
    url = b.away()
    name = [c for c in b.set if c.startswith('oauth_state_')]
    check(len(name) == 1 and 'HttpOnly' in b.set[name[0]] and 'SameSite=lax' in b.set[name[0]])
    b.go(url)
    check('HttpOnly' not in b.set['token'] and 'SameSite=lax' in b.set['token'], 'the page reads it')
    check('HttpOnly' in b.set['oauth_id_token'] and 'HttpOnly' in b.set['oauth_session_id'] and 'Max-Age=0' in b.set[name[0]])
    b.token = b.cookies['token']
    b.go(s.url + '/api/v1/auths/')
    check('HttpOnly' in b.set['token'], 'and after that nobody')


@test('oauth: the state belongs to the browser, to the sign-in and to the provider')
def _(s):
    person(s, 'state')
    ann, eve = Browser(s), Browser(s)
    url = ann.away()
    check('error=' in eve.go(url).headers['location'], 'the code of another browser')
    equal(eve.cookies.get('token'), None)
    evil = eve.away()
    ann.cookies |= eve.cookies
    state = lambda u: urllib.parse.parse_qs(urllib.parse.urlsplit(u).query)['state'][0]
    check('error=' in Browser(s).go(evil).headers['location'])
    mixed = evil.replace(state(evil), state(url)[:12] + state(evil)[12:])
    check('error=' in ann.go(mixed).headers['location'])
    for bad in ('', 'x', 'A' * 32, '0' * 32, '../../x'):
        check('error=' in ann.go(f'{s.url}/oauth/oidc/callback?code=1&state={urllib.parse.quote(bad)}').headers['location'])
    url = ann.away()
    check('error=' in ann.go(url.replace('/oidc/', '/microsoft/')).headers['location'], 'another provider')
    url = ann.away()
    name = [c for c in ann.cookies if c.startswith('oauth_state_' + state(url)[:12])][0]
    ann.cookies[name] = ann.cookies[name][:-8] + 'AAAAAA=='
    check('error=' in ann.go(url).headers['location'], 'changed')


@test('oauth: an answer counts once')
def _(s):
    person(s, 'once')
    b = Browser(s)
    url = b.away()
    jar = dict(b.cookies)
    equal(b.go(url).headers['location'], '/auth')
    b.cookies = jar
    check('error=' in b.go(url).headers['location'])


@test('oauth: two sign-ins in two tabs')
def _(s):
    person(s, 'tabs')
    b = Browser(s)
    one, two = b.away(), b.away()
    equal(b.go(one).headers['location'], '/auth')
    equal(b.go(two).headers['location'], '/auth')


for wrong in WRONG:
    def run(s, wrong=wrong):
        person(s, 'wrong')
        IDP.wrong = wrong
        if wrong == 'subject':
            IDP.claims.pop('email')
            IDP.userinfo = {'sub': 'wrong', 'email': 'admin@test.test', 'email_verified': True, 'name': 'x'}
        refused(s, CRED)
        equal(s.admin().get('/api/v1/users/?query=wrong@idp').json()['users'], [])
    test(f'oauth: id token, wrong: {wrong}')(run)


@test('oauth: the provider changes its keys, also to elliptic curves')
def _(s):
    person(s, 'keys')
    signed_in(s)
    time.sleep(11)      # fresh keys are not asked for all the time
    IDP.keys.insert(0, Key(IDP.folder.name, 'ES256', f'ec-{time.time_ns()}'))
    signed_in(s)
    asked = len(IDP.asked('/jwks'))
    IDP.wrong = 'key'
    refused(s, CRED)
    refused(s, CRED)
    check(len(IDP.asked('/jwks')) - asked <= 4, 'unknown keys do not make us ask all the time')


@test('oauth: the provider says no, or is broken')
def _(s):
    person(s, 'broken')
    b = Browser(s)
    url = b.away()
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    where = b.go(f'{s.url}/oauth/oidc/login/callback?error=access_denied&state={code["state"][0]}').headers['location']
    check('error=' in where)
    IDP.answer = {'access_token': None}
    refused(s, CRED)
    url = Browser(s)
    back = url.away()
    check('error=' in url.go(back + '&iss=https%3A%2F%2Fevil.test').headers['location'], 'RFC 9207')


@test('oauth: an unknown or unconfigured provider is 404')
def _(s):
    for name in ('nothing', 'oidc%2F..', 'OIDC'):
        check(Browser(s).go(f'{s.url}/oauth/{name}/login').status in (404, 400), name)
        check(Browser(s).go(f'{s.url}/oauth/{name}/callback').status in (404, 400), name)
    providers = s.anyone().get('/api/config').json()['oauth']['providers']
    equal((providers['oidc'], set(providers)), ('Fake', {'google', 'microsoft', 'github', 'oidc', 'feishu'}))


@test('oauth: claims from the userinfo endpoint')
def _(s):
    person(s, 'info')
    IDP.claims = {'sub': 'info'}
    IDP.userinfo = {'sub': 'info', 'email': 'info@idp.test', 'name': 'In Fo'}
    equal(signed_in(s)[1]['name'], 'In Fo')
    IDP.userinfo = {'sub': 'info', 'name': 'In Fo'}
    refused(s, CRED)


@test('oauth: an account of the same address is not taken over')
def _(s):
    s.user('own')
    person(s, 'thief', email='own@test.test')
    refused(s, TAKEN)


@test('oauth: google, github, feishu, microsoft')
def _(s):
    person(s, 'goo')
    IDP.claims['sub'] = 'g1'
    equal(signed_in(s, 'google')[1]['email'], 'goo@idp.test')
    person(s, 'hub', sub=None)
    IDP.userinfo = {'id': 4711, 'login': 'hub', 'name': 'Hub Ot', 'email': None}
    b, me = signed_in(s, 'github')
    equal((me['email'], me['name']), ('hub@idp.test', 'Hub Ot'))
    check('nonce' not in b.asked.query and b.asked.netloc == 'github.com')
    equal(IDP.asked('/login/oauth/access_token')[-1]['form']['client_secret'], 'h')
    equal(s.admin().get('/api/v1/users/?query=hub@idp').json()['users'][0]['oauth_sub'], 'github@4711')
    IDP.emails = []
    refused(s, CRED, 'github')
    person(s, 'fei')
    IDP.userinfo = {'user_id': 'u1', 'name': 'Fei', 'email': 'fei@idp.test'}
    equal(signed_in(s, 'feishu')[1]['email'], 'fei@idp.test')
    person(s, 'mic', tid='t-1', iss=IDP.url + '/t-1/v2.0')
    IDP.metadata = {'issuer': IDP.url + '/{tenantid}/v2.0'}
    equal(signed_in(s, 'microsoft')[1]['email'], 'mic@idp.test')
    IDP.claims['tid'] = 't-2'
    refused(s, CRED, 'microsoft')
    check([c for c in IDP.asked('/picture.png') if c['headers'].get('authorization', '').startswith('Bearer at-')], 'the picture is asked for with the token')
    check(s.admin().get('/api/v1/users/?query=mic@idp').json()['users'][0]['profile_image_url'].startswith('data:image/png;base64,'))


@test('oauth: pictures')
def _(s):
    image = lambda name: s.admin().get(f'/api/v1/users/?query={name}@idp').json()['users'][0]['profile_image_url']
    person(s, 'pic', picture=IDP.url + '/picture.png')
    signed_in(s)
    check(image('pic').startswith('data:image/png;base64,'), 'the provider itself is asked')
    person(s, 'svg', picture=IDP.url + '/picture.svg')
    signed_in(s)
    equal(image('svg'), '/user.png')
    person(s, 'inside', picture=s.url + '/static/favicon.png')
    signed_in(s)
    equal(image('inside'), '/user.png', 'a private address')
    for bad in ('file:///etc/passwd', 'javascript:alert(1)', 'http://[::1]:1/x.png', 'http://169.254.169.254/latest'):
        person(s, 'bad' + str(abs(hash(bad)) % 1000), picture=bad)
        equal(image(signed_in(s)[1]['email'].split('@')[0]), '/user.png', bad)


@test('oauth: tokens are kept, sealed, and end with the account')
def _(s):
    person(s, 'sealed')
    b, me = signed_in(s)
    sessions = s.admin().get(f'/api/v1/users/{me["id"]}/oauth/sessions').json()
    equal([(x['provider'], x['id']) for x in sessions], [('oidc', b.cookies['oauth_session_id'])])
    if 'DATABASE_URL' not in s.env:
        with sqlite3.connect(f'file:{s.data}/webui.db?mode=ro', uri=True) as db:
            token, = db.execute('SELECT token FROM oauth_session WHERE user_id = ?', (me['id'],)).fetchone()
        check(token.startswith('gAAAAA') and 'at-' not in token)
    b2, _ = signed_in(s)
    equal([x['id'] for x in s.admin().get(f'/api/v1/users/{me["id"]}/oauth/sessions').json()], [b2.cookies['oauth_session_id']])
    equal(s.admin().delete('/api/v1/users/' + me['id']).status, 200)
    equal(s.admin().get(f'/api/v1/users/{me["id"]}/oauth/sessions').status, 400)
    equal(b.go(s.url + '/api/v1/auths/').status, 401)


@test('oauth: a tool server that wants the token of the provider gets it in a chat')
def _(s):
    person(s, 'tooled')
    b, me = signed_in(s)
    admin = s.admin()
    admin.post('/api/v1/models/create', {'id': 'stub-small', 'base_model_id': None, 'name': 'S', 'meta': {}, 'params': {}, 'access_control': None})
    admin.get('/api/models?refresh=true')
    body = {'model': 'stub-small', 'messages': [{'role': 'user', 'content': 'Who am I?'}], 'tool_ids': ['server:world|who']}
    with ToolWorld() as world:
        admin.post('/api/v1/configs/tool_servers', {'TOOL_SERVER_CONNECTIONS': [
            {'url': world.url + '/tools', 'path': 'openapi.json', 'type': 'openapi', 'auth_type': 'system_oauth', 'key': 'not this', 'config': {'enable': True}, 'info': {'id': 'world', 'name': 'w'}}]})
        try:
            for cookies, want in ((b.cookies, 'Bearer at-'), ({}, 'None')):
                head = {'Cookie': '; '.join(f'{k}={v}' for k, v in cookies.items() if k == 'oauth_session_id'), 'Authorization': 'Bearer ' + b.token}
                r = s.anyone().post('/api/chat/completions', body, headers=head)
                equal(r.status, 200, r)
                check(str(json.loads(r.json()['sources'][0]['document'][0])['authorization']).startswith(want), r)
        finally:
            admin.post('/api/v1/configs/tool_servers', {'TOOL_SERVER_CONNECTIONS': []})


@test('oauth: tokens are renewed when they run out, and gone when they cannot be')
def _(s):
    person(s, 'renewed')
    admin = s.admin()
    admin.post('/api/v1/models/create', {'id': 'stub-small', 'base_model_id': None, 'name': 'S', 'meta': {}, 'params': {}, 'access_control': None})
    admin.get('/api/models?refresh=true')
    body = {'model': 'stub-small', 'messages': [{'role': 'user', 'content': 'Who am I?'}], 'tool_ids': ['server:world|who']}
    renewals = lambda: len([c for c in IDP.asked('/token') if c['form'].get('grant_type') == 'refresh_token'])
    with ToolWorld() as world:
        admin.post('/api/v1/configs/tool_servers', {'TOOL_SERVER_CONNECTIONS': [
            {'url': world.url + '/tools', 'path': 'openapi.json', 'type': 'openapi', 'auth_type': 'system_oauth', 'key': '', 'config': {'enable': True}, 'info': {'id': 'world', 'name': 'w'}}]})

        def seen(b):
            head = {'Cookie': 'oauth_session_id=' + b.cookies['oauth_session_id'], 'Authorization': 'Bearer ' + b.token}
            r = s.anyone().post('/api/chat/completions', body, headers=head)
            equal(r.status, 200, r)
            return str(json.loads(r.json()['sources'][0]['document'][0])['authorization'])
        try:
            b, me = signed_in(s)
            first = seen(b)
            equal((seen(b), renewals()), (first, 0))
            IDP.answer = {'expires_in': 60}
            b, _ = signed_in(s)
            IDP.answer = {}
            second = seen(b)
            check(second.startswith('Bearer at-') and second != first and renewals() == 1, (first, second, renewals()))
            equal((seen(b), renewals()), (second, 1), 'the new ones last')
            IDP.answer, IDP.refuses_refresh = {'expires_in': 2}, True
            b, _ = signed_in(s)
            check(seen(b).startswith('Bearer at-'), 'refused, but good for a moment')
            time.sleep(2.5)
            equal(seen(b), 'None')
            equal(admin.get(f'/api/v1/users/{me["id"]}/oauth/sessions').status, 400)
        finally:
            IDP.reset()
            admin.post('/api/v1/configs/tool_servers', {'TOOL_SERVER_CONNECTIONS': []})


@test('oauth: signing out ends the session there, too')
def _(s):
    person(s, 'out')
    b, _ = signed_in(s)
    r = b.go(s.url + '/api/v1/auths/signout')
    where = urllib.parse.urlsplit(r.json()['redirect_url'])
    check(r.json()['redirect_url'].startswith(IDP.url + '/logout?id_token_hint=ey'), r.text())
    check('oauth_session_id' not in b.cookies and 'token' not in b.cookies and where.query.count('=') == 1)
    equal(b.go(s.url + '/api/v1/auths/').status, 401)


def with_settings(s, **env):
    return installation(s.web_server, 'sqlite', {**ENV, **env})


@test('oauth: merged by address if that is allowed and the provider has verified it')
def _(s):
    with with_settings(s, OAUTH_MERGE_ACCOUNTS_BY_EMAIL='true') as o:
        own = o.user('own')
        person(o, 'merge', email='OWN@test.test', email_verified=False)
        refused(o, TAKEN)
        IDP.claims.pop('email_verified')
        refused(o, TAKEN)
        IDP.claims['email_verified'] = 'true'
        equal(signed_in(o)[1]['id'], own.id)
        IDP.claims['email_verified'] = False
        equal(signed_in(o)[1]['id'], own.id, 'known by then')
        o.user('hub')
        person(o, 'x')
        IDP.userinfo = {'id': 5, 'name': 'Hub', 'email': 'hub@test.test'}
        IDP.emails = [{'email': 'hub@test.test', 'primary': True, 'verified': False}]
        refused(o, TAKEN, 'github')
        IDP.emails[0]['verified'] = True
        equal(signed_in(o, 'github')[1]['email'], 'hub@test.test')


@test('oauth: a new picture at each sign-in')
def _(s):
    with with_settings(s, OAUTH_UPDATE_PICTURE_ON_LOGIN='true') as o:
        image = lambda: o.admin().get('/api/v1/users/?query=face@idp').json()['users'][0]['profile_image_url']
        person(o, 'face')
        signed_in(o)
        equal(image(), '/user.png')
        IDP.claims['picture'] = IDP.url + '/picture.png'
        signed_in(o)
        check(image().startswith('data:image/png;base64,'))
        IDP.claims['picture'] = IDP.url + '/none.png'
        signed_in(o)
        check(image().startswith('data:image/png;base64,'), 'one that is away takes nothing')


@test('oauth: no sign-up, allowed domains, role of the first')
def _(s):
    with with_settings(s, OAUTH_ALLOWED_DOMAINS='idp.test,corp.test', DEFAULT_USER_ROLE='pending', OPENID_REDIRECT_URI='') as o:
        IDP.reset()
        IDP.claims |= {'sub': 'boss', 'email': 'boss@corp.test'}
        equal(signed_in(o)[1]['role'], 'admin')
        person_claims = {'sub': 'x', 'name': 'X', 'email_verified': True}
        for email, good in (('x@corp.test', True), ('y@evil.test', False), ('y@corp.test.evil.test', False), ('y@evil.test@corp.test', True)):
            IDP.claims = person_claims | {'sub': email, 'email': email}
            equal(signed_in(o)[1]['role'], 'pending') if good else refused(o, CRED)
    with with_settings(s, ENABLE_OAUTH_SIGNUP='false') as o:
        person(o, 'nobody')
        refused(o, PROHIBITED)
        person(o, 'admin', email='admin@test.test')
        refused(o, PROHIBITED)


@test('oauth: roles and groups by claims')
def _(s):
    with with_settings(s, ENABLE_OAUTH_ROLE_MANAGEMENT='true', OAUTH_ROLES_CLAIM='realm.roles', OAUTH_ALLOWED_ROLES='staff', OAUTH_ADMIN_ROLES='boss', DEFAULT_USER_ROLE='pending',
                       ENABLE_OAUTH_GROUP_MANAGEMENT='true', ENABLE_OAUTH_GROUP_CREATION='true', OAUTH_GROUPS_CLAIM='groups', OAUTH_BLOCKED_GROUPS='["secret-*", "^x[0-9]+$"]') as o:
        admin = o.admin()
        groups = lambda: sorted(g['name'] for g in admin.get('/api/v1/groups/').json() if me['id'] in g['user_ids'])
        person(o, 'role', realm={'roles': ['other']}, groups=['red', 'secret-1', 'x12', 'blue'])
        _, me = signed_in(o)
        equal(me['role'], 'pending')
        equal(groups(), ['blue', 'red'])
        equal(sorted(g['name'] for g in admin.get('/api/v1/groups/').json()), ['blue', 'red'])
        IDP.claims |= {'realm': {'roles': 'staff'}, 'groups': ['blue', 'green']}
        equal(signed_in(o)[1]['role'], 'user')
        equal(groups(), ['blue', 'green'])
        IDP.claims |= {'groups': []}
        signed_in(o)
        equal(groups(), ['blue', 'green'], 'an empty claim changes nothing')
        IDP.claims |= {'realm': {'roles': ['staff', 'boss']}}
        equal(signed_in(o)[1]['role'], 'admin')
        IDP.claims |= {'realm': {}}
        equal(signed_in(o)[1]['role'], 'pending')
        with_first = {'sub': 'first', 'email': 'admin@test.test', 'email_verified': True, 'name': 'A', 'realm': {'roles': ['staff']}}
    with with_settings(s, ENABLE_OAUTH_ROLE_MANAGEMENT='true', OAUTH_ALLOWED_ROLES='staff', OAUTH_ADMIN_ROLES='boss', OAUTH_MERGE_ACCOUNTS_BY_EMAIL='true') as o:
        o.admin(), o.user('second')
        IDP.reset()
        IDP.claims = with_first | {'roles': ['staff']}
        equal(signed_in(o)[1]['role'], 'admin', 'the first administrator stays one')


@test('oauth: a public client, secrets in the form, a fixed way back, no id token cookie, WEBUI_URL')
def _(s):
    with with_settings(s, OAUTH_CLIENT_SECRET='', OAUTH_CODE_CHALLENGE_METHOD='S256', ENABLE_OAUTH_ID_TOKEN_COOKIE='false') as o:
        person(o, 'public')
        b, _ = signed_in(o)
        form = IDP.asked('/token')[-1]
        check('authorization' not in form['headers'] and form['form']['client_id'] == 'webui' and 'client_secret' not in form['form'])
        check('oauth_id_token' not in b.cookies)
    with with_settings(s, OAUTH_TOKEN_ENDPOINT_AUTH_METHOD='client_secret_post', WEBUI_URL='https://chat.example.org/') as o:
        person(o, 'post')
        b = Browser(o)
        equal(b.sign_in(), 'https://chat.example.org/auth')
        equal(IDP.asked('/token')[-1]['form']['client_secret'], 's:cret/1')
    with with_settings(s, OPENID_REDIRECT_URI='https://chat.example.org/oauth/oidc/callback') as o:
        person(o, 'fixed')
        b = Browser(o)
        back = b.away()
        check(back.startswith('https://chat.example.org/oauth/oidc/callback?'))
        equal(b.go(back.replace('https://chat.example.org', o.url)).headers['location'], '/auth')


@test('oauth: a provider that is away')
def _(s):
    with with_settings(s, OPENID_PROVIDER_URL='http://10.255.255.1/none', OAUTH_TIMEOUT='2') as o:
        start = time.monotonic()
        r = Browser(o).go(o.url + '/oauth/oidc/login')
        check(r.status == 307 and r.headers['location'].startswith('/auth?error='), r)
        check(time.monotonic() - start < 8)
        for _ in range(20):     # nobody waits for it again and again
            Browser(o).go(o.url + '/oauth/oidc/login')
        check(time.monotonic() - start < 30)


# ---- tool servers

REGISTER = '/api/v1/configs/oauth/clients/register'
four_sides('oauth: register at a tool server', 'POST', REGISTER + '?type=mcp', {'url': IDP.url + '/mcp', 'client_id': 'four'}, wrong={'url': IDP.url}, owner='admin')


def tool_server(s, id='tools'):
    IDP.reset()
    r = s.admin().post(REGISTER + '?type=mcp', {'url': IDP.url + '/mcp', 'client_id': id})
    equal(r.status, 200, r.text())
    sealed = r.json()['oauth_client_info']
    check(sealed.startswith('gAAAAA'))
    connection = {'url': IDP.url + '/mcp', 'path': '', 'type': 'mcp', 'auth_type': 'oauth_2.1', 'key': '', 'config': {'enable': True},
                  'info': {'id': id, 'name': 'Tools', 'oauth_client_info': sealed}}
    equal(s.admin().post('/api/v1/configs/tool_servers', {'TOOL_SERVER_CONNECTIONS': [connection]}).status, 200)


@test('oauth: a tool server gives tokens to each user')
def _(s):
    tool_server(s)
    form = IDP.asked('/register')[-1]['form']
    equal((form['redirect_uris'], form['scope'], form['token_endpoint_auth_method']), ([s.url + '/oauth/clients/mcp:tools/callback'], 'tools openid', 'client_secret_post'))
    ann = s.user('ann')
    b = Browser(s, ann.token)
    r = b.go(s.url + '/oauth/clients/mcp:tools/authorize')
    equal(r.status, 302, r.text())
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(r.headers['location']).query))
    check(asked['client_id'].startswith('dyn-') and asked['code_challenge_method'] == 'S256')
    back = b.go(r.headers['location']).headers['location']
    other = Browser(s, s.user('bob').token)
    other.cookies = dict(b.cookies)
    check('error=' in other.go(back).headers['location'], 'the cookie is for somebody else')
    back = b.go(b.go(s.url + '/oauth/clients/mcp:tools/authorize').headers['location']).headers['location']
    equal(b.go(back).headers['location'], '/')
    equal(IDP.asked('/token')[-1]['form']['client_secret'], 'dyn-secret')
    equal([x['provider'] for x in s.admin().get(f'/api/v1/users/{ann.id}/oauth/sessions').json()], ['mcp:tools'])


@test('oauth: tool servers: wrong')
def _(s):
    tool_server(s)
    equal(s.anyone().get('/oauth/clients/mcp:tools/authorize').status, 401)
    equal(s.anyone().get('/oauth/clients/mcp:tools/callback').status, 401)
    for id in ('mcp:none', 'tools', 'oidc', 'mcp:'):
        equal(s.user('ann').get(f'/oauth/clients/{id}/authorize').status, 404, id)
    for url in ('http://127.0.0.1:9/x', 'ftp://x', 'nothing'):
        r = s.admin().post(REGISTER, {'url': url, 'client_id': 'x'})
        equal((r.status, r.json()['detail']), (400, 'Failed to register OAuth client'))
    connection = s.admin().get('/api/v1/configs/tool_servers').json()['TOOL_SERVER_CONNECTIONS'][0]
    connection['info']['oauth_client_info'] = 'gAAAAA' + 'x' * 100
    equal(s.admin().post('/api/v1/configs/tool_servers', {'TOOL_SERVER_CONNECTIONS': [connection]}).status, 200)
    equal(s.user('ann').get('/oauth/clients/mcp:tools/authorize').status, 404)


if __name__ == '__main__':
    try:
        main(ENV)
    finally:
        IDP.close()
