#!/usr/bin/env python3
"""Signing in by LDAP, with a real slapd: who gets in and as whom, who does not, TLS, groups, directories that are away or silent."""
import base64, threading

from harness import *

A = '/api/v1/auths/'
FAILED = {'detail': 'LDAP authentication failed.'}
APP, APP_PASSWORD = 'cn=app,dc=test', 'app-Secret-1'
ENV = {'ENABLE_LDAP_GROUP_MANAGEMENT': 'true', 'ENABLE_LDAP_GROUP_CREATION': 'true'}

SLAPD_CONF = '''
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
# A bind with a name and no password is answered with success, as some directories do.
allow bind_anon_dn
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
maxsize 16777216
suffix dc=test
rootdn {app}
rootpw {password}
directory {folder}/db
overlay memberof
'''


def person(uid, /, rdn=None, mail='', **more):
    """LDIF of somebody whose password is his uid's with "pw-" before it. rdn: his name in ou=people; mail None: he has no address."""
    lines = {'cn': uid.title(), 'sn': uid, 'uid': uid, 'userPassword': 'pw-' + uid, 'mail': f'{uid}@dir.test' if mail == '' else mail, **more}
    out = f'dn: {rdn or "uid=" + uid},ou=people,dc=test\nobjectClass: inetOrgPerson\n'
    for name, value in lines.items():
        for v in value if isinstance(value, list) else [value] if value is not None else []:
            out += f'{name}: {v}\n' if v.isascii() else f'{name}:: {base64.b64encode(v.encode()).decode()}\n'
    return out


def group(rdn, *uids):
    return f'dn: {rdn},ou=groups,dc=test\nobjectClass: groupOfNames\n' + ''.join(f'member: uid={u},ou=people,dc=test\n' for u in uids)


PEOPLE = ['dn: dc=test\nobjectClass: dcObject\nobjectClass: organization\no: Test\n',
          'dn: ou=people,dc=test\nobjectClass: organizationalUnit\n', 'dn: ou=groups,dc=test\nobjectClass: organizationalUnit\n',
          person('ann', mail='Ann.Lee@Dir.test', cn='Ann Lee'), person('ben', mail=['ben@dir.test', 'other@dir.test']), person('cat'), person('dan'),
          person('eve', title='banned'), person('fay'), person('gil'), person('hal'), person('ida'), person('jon'), person('kay'),
          person('nomail', mail=None), person('nopassword', userPassword=None), person('twin', rdn='cn=Twin', uid=['twin', 'twin2']),
          person('joe', rdn='cn=Smith\\, Joe \\+ Sons', cn='Smith, Joe + Sons'),
          person('st*r', rdn='cn=Star', cn='Star', mail='star@dir.test'), person('p(q)', rdn='cn=Brackets', cn='Brackets', mail='brackets@dir.test'),
          person('zoë', rdn='cn=Zoe', mail='zoe@dir.test', cn='Zoe'),
          group('cn=Sales\\, north', 'cat', 'dan'), group('cn=Staff', 'cat', 'ida')]


class Slapd(Service):
    """A directory of its own, plain at self.port and TLS at self.tls_port, its certificate for 127.0.0.1 by a CA of its own (self.ca)."""

    def __init__(self):
        self.port, self.tls_port = free_port(), free_port()
        self.who = unprivileged('openldap', 'nobody')
        self.folder = Folder('webui-ldap-', self.who)
        self.path = self.folder.path
        os.chmod(self.path, 0o755)      # the server under test reads the CA
        self.ca = self.path + '/ca.pem'
        os.mkdir(self.path + '/db', 0o700)
        with open(self.path + '/slapd.conf', 'w') as f:
            f.write(SLAPD_CONF.format(folder=self.path, app=APP, password=APP_PASSWORD))
        self.certificates()
        for name in os.listdir(self.path) if self.who else []:
            os.chown(os.path.join(self.path, name), self.who['user'], self.who['group'])
        self.start()
        self.run('ldapadd', '\n'.join(p for p in PEOPLE))

    def start(self):
        self.spawn('slapd', [tool('slapd'), '-f', self.path + '/slapd.conf', '-d', '0', '-h',
                             f'ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{self.tls_port}/'], dict(os.environ), self.path, self.who)
        wait_until(lambda: self.client('ldapwhoami').returncode == 0, 20, 'slapd', self.process)

    def certificates(self):
        def openssl(*args):
            done = subprocess.run([tool('openssl'), *args], cwd=self.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode:
                raise Missing('openssl: ' + done.stdout.decode())
        key = ['-newkey', 'rsa:2048', '-nodes']
        openssl('req', '-x509', *key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Test CA')
        openssl('req', *key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=directory')
        with open(self.path + '/names', 'w') as f:
            f.write('subjectAltName=IP:127.0.0.1\n')
        openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names', '-out', 'server.pem')
        os.chmod(self.ca, 0o644)

    def client(self, program, text=''):
        return subprocess.run([tool(program), '-x', '-H', f'ldap://127.0.0.1:{self.port}', '-D', APP, '-w', APP_PASSWORD], input=text.encode(),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, program, text):
        done = self.client(program, text)
        if done.returncode:
            raise Missing(f'{program}: {done.stdout.decode()[-300:]}')

    def stop(self):
        try:
            self.end()
        finally:
            self.folder.remove()


slapd = None


def directory():
    global slapd
    slapd = slapd or Slapd()
    return slapd


def use(s, **changes):
    """The settings as they are in most tests, but for the changes."""
    d = directory()
    form = {'label': 'Directory', 'host': '127.0.0.1', 'port': d.port, 'app_dn': APP, 'app_dn_password': APP_PASSWORD, 'search_base': 'ou=people,dc=test',
            'attribute_for_mail': 'mail', 'attribute_for_username': 'uid', 'search_filters': '', 'use_tls': False, 'certificate_path': '',
            'validate_cert': True, 'ciphers': 'ALL'}
    r = s.admin().post(A + 'admin/config/ldap/server', {**form, **changes})
    equal(r.status, 200, r.text())
    equal(s.admin().post(A + 'admin/config/ldap', {'enable_ldap': True}).status, 200)


def fresh(s, **env):
    """A further installation, of which nobody is a user yet, with its settings in the environment."""
    d = directory()
    return installation(s.web_server, env={'ENABLE_LDAP': 'true', 'LDAP_SERVER_HOST': '127.0.0.1', 'LDAP_SERVER_PORT': str(d.port), 'LDAP_USE_TLS': 'false',
                                           'LDAP_APP_DN': APP, 'LDAP_APP_PASSWORD': APP_PASSWORD, 'LDAP_SEARCH_BASE': 'dc=test',
                                           'DEFAULT_USER_ROLE': 'user', **env})


def signin(s, user, password=None):
    return s.anyone().post(A + 'ldap', {'user': user, 'password': 'pw-' + user if password is None else password})


def gets_in(s, user, password=None, about=''):
    r = signin(s, user, password)
    equal(r.status, 200, f'{about} {r}')
    return r.json()


def stays_out(s, user, password=None, about='', detail=FAILED):
    r = signin(s, user, password)
    equal((r.status, r.json()), (400, detail), about or user)
    check('set-cookie' not in r.headers, 'a cookie')


def account(s, email):
    """The account of that address, as an admin sees it; None."""
    return next((u for u in s.admin().get('/api/v1/users/?query=' + email).json()['users'] if u['email'] == email), None)


# ---------------------------------------------------------------- who gets in

@test('LDAP: the first sign-in makes an account, the next finds it')
def _(s):
    use(s)
    equal(account(s, 'ann.lee@dir.test'), None)
    r = signin(s, 'ANN', 'pw-ann')
    equal(r.status, 200, r)
    me = r.json()
    equal({k: me[k] for k in ('email', 'name', 'role', 'token_type', 'expires_at', 'profile_image_url')},
          {'email': 'ann.lee@dir.test', 'name': 'Ann Lee', 'role': 'pending', 'token_type': 'Bearer', 'expires_at': None, 'profile_image_url': '/user.png'})
    check(isinstance(me['permissions'], dict))
    check('token=' + me['token'] in r.headers['set-cookie'] and 'httponly' in r.headers['set-cookie'].lower(), r.headers['set-cookie'])
    equal(Client(s.url, me['token']).get(A).json()['id'], me['id'])
    again = gets_in(s, 'ann')
    equal(again['id'], me['id'])
    check(again['token'] != me['token'])


@test('LDAP: the account has no password of its own')
def _(s):
    use(s)
    gets_in(s, 'fay')
    for password in ('pw-fay', '', 'fay'):
        equal(s.anyone().post(A + 'signin', {'email': 'fay@dir.test', 'password': password}).status, 400, password)


@test('LDAP: the first of several addresses counts, and an account with that address is his')
def _(s):
    use(s)
    form = {'name': 'Ben of ours', 'email': 'ben@dir.test', 'password': PASSWORD, 'role': 'user'}
    made = s.admin().post(A + 'add', form).json()
    me = gets_in(s, 'ben')
    equal((me['id'], me['name'], me['role']), (made['id'], 'Ben of ours', 'user'))


@test('LDAP: names with signs in them mean themselves')
def _(s):
    use(s)
    equal(gets_in(s, 'st*r')['email'], 'star@dir.test')
    equal(gets_in(s, 'p(q)')['email'], 'brackets@dir.test')
    equal(gets_in(s, 'joe')['name'], 'Smith, Joe + Sons')
    equal(gets_in(s, 'ZOË', 'pw-zoë')['email'], 'zoe@dir.test')


@test('LDAP: the host may be an address with its scheme and port')
def _(s):
    use(s, host=f'ldap://127.0.0.1:{directory().port}', port=1, use_tls=True)
    gets_in(s, 'gil')


@test('LDAP: many first sign-ins at once make one account')
def _(s):
    use(s)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(gets_in(s, 'hal')['id'])) for _ in range(5)]
    [t.start() for t in threads], [t.join() for t in threads]
    equal((len(answers), len(set(answers))), (5, 1))


@test('LDAP: the first person of all is an admin, the second is not, however they hurry')
def _(s):
    with fresh(s) as other:
        stays_out(other, 'ann', 'wrong')
        roles = []
        threads = [threading.Thread(target=lambda u=u: roles.append(gets_in(other, u)['role'])) for u in ('ann', 'ben', 'fay', 'gil')]
        [t.start() for t in threads], [t.join() for t in threads]
        equal(sorted(roles), ['admin', 'user', 'user', 'user'])


@test('LDAP: a directory that anyone may search needs no account of the application')
def _(s):
    with fresh(s, LDAP_APP_DN='', LDAP_APP_PASSWORD='') as other:
        gets_in(other, 'gil')
        stays_out(other, 'gil', 'wrong')
        stays_out(other, 'gil', '')


# ---------------------------------------------------------------- who does not

@test('LDAP: wrong password, unknown name: one answer, no account')
def _(s):
    use(s)
    stays_out(s, 'kay', 'wrong')
    stays_out(s, 'kay', 'pw-ann')
    stays_out(s, 'nobody', 'wrong')
    equal((account(s, 'kay@dir.test'), account(s, 'nobody@dir.test')), (None, None))


@test('LDAP: no password, though the directory would say yes')
def _(s):
    use(s)
    d = directory()
    ask = [tool('ldapwhoami'), '-x', '-H', f'ldap://127.0.0.1:{d.port}', '-D', 'uid=kay,ou=people,dc=test', '-w', '']
    equal(subprocess.run(ask, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode, 0, 'this slapd takes empty passwords')
    for password in ('', '\0', '\0pw-kay', 'pw-kay\0'):
        stays_out(s, 'kay', password, repr(password))
    stays_out(s, '', 'pw-kay')
    stays_out(s, '', '')
    equal(account(s, 'kay@dir.test'), None)


@test('LDAP: an account of the application without its password is no anonymous one')
def _(s):
    for changes in ({'app_dn_password': 'wrong'}, {'app_dn': 'cn=nobody,dc=test'}, {'app_dn': 'no name'}):
        use(s, **changes)
        stays_out(s, 'kay', None, str(changes))
    with fresh(s, LDAP_APP_PASSWORD='') as other:
        stays_out(other, 'kay')


@test('LDAP: a user name is no filter')
def _(s):
    use(s)
    for user in ('*', 'k*', 'kay*', ')(uid=*', '*)(uid=*', 'kay)(|(uid=*', 'kay)(cn=*))(|(cn=*', 'kay\\', '\\2a', 'kay\0', 'kay\0*', 'uid=kay,ou=people,dc=test',
                 'kay@dir.test', ' kay', 'x' * 5000):
        stays_out(s, user, 'pw-kay', repr(user[:40]))
    equal(account(s, 'kay@dir.test'), None)


@test('LDAP: entries without an address, without a password, with two names')
def _(s):
    use(s)
    for user in ('nomail', 'nopassword', 'twin', 'twin2'):
        stays_out(s, user, 'pw-twin' if user == 'twin2' else None)


@test('LDAP: the further filter is kept, and one that is broken lets nobody in')
def _(s):
    use(s, search_filters='(!(title=banned))')
    gets_in(s, 'gil')
    stays_out(s, 'eve')
    use(s)
    gets_in(s, 'eve')
    for further in ('(((', '(|(uid=*)', ')(uid=*)'):
        use(s, search_filters=further)
        stays_out(s, 'gil', None, further)


@test('LDAP: settings that name nothing of the directory')
def _(s):
    for changes in ({'search_base': 'ou=nowhere,dc=test'}, {'search_base': 'no name'}, {'attribute_for_username': 'nosuch'},
                    {'attribute_for_username': 'uid=*)(cn'}, {'attribute_for_mail': 'nosuch'}, {'attribute_for_mail': 'a b'}):
        use(s, **changes)
        stays_out(s, 'gil', None, str(changes))


@test('LDAP: guessing is stopped, for the right password too, and for that name alone')
def _(s):
    use(s)
    equal([signin(s, 'jon', f'guess {i}').status for i in range(12)], [400] * 10 + [429] * 2)
    r = signin(s, 'JON', 'pw-jon')
    equal(r.status, 429)
    check('retry-after' in r.headers, 'no Retry-After')
    gets_in(s, 'gil')


@test('LDAP: wrong forms, and while it is off')
def _(s):
    use(s)
    for form in ({'user': 'gil'}, {'password': 'x'}, {'user': 1, 'password': 'x'}, {'user': None, 'password': None}, []):
        equal(s.anyone().post(A + 'ldap', form).status, 422, str(form))
    equal(s.admin().post(A + 'admin/config/ldap', {'enable_ldap': False}).status, 200)
    stays_out(s, 'gil', detail={'detail': 'LDAP authentication is not enabled'})


# ---------------------------------------------------------------- groups

def groups_of(s, id):
    return sorted(g['name'] for g in s.admin().get('/api/v1/groups/').json() if id in g['user_ids'])


@test('LDAP: groups are those of the directory')
def _(s):
    use(s)
    r = s.admin().post('/api/v1/groups/create', {'name': 'Old', 'description': ''})
    equal(r.status, 200, r)
    me = gets_in(s, 'cat')
    equal(groups_of(s, me['id']), ['Sales, north', 'Staff'])
    old = r.json()
    equal(s.admin().post(f'/api/v1/groups/id/{old["id"]}/users/add', {'user_ids': [me['id']]}).status, 200)
    equal(groups_of(s, me['id']), ['Old', 'Sales, north', 'Staff'])
    directory().run('ldapmodify', 'dn: cn=Sales\\, north,ou=groups,dc=test\nchangetype: modify\ndelete: member\nmember: uid=cat,ou=people,dc=test\n')
    gets_in(s, 'cat')
    equal(groups_of(s, me['id']), ['Staff'])


# ---------------------------------------------------------------- TLS

@test('LDAP over TLS: the certificate counts')
def _(s):
    d = directory()
    tls = {'port': d.tls_port, 'use_tls': True}
    use(s, **tls, certificate_path=d.ca)
    gets_in(s, 'gil')
    gets_in(s, 'cat')       # an answer of more than one record's worth of reading
    stays_out(s, 'gil', 'wrong')
    use(s, host=f'ldaps://127.0.0.1:{d.tls_port}', port=1, certificate_path=d.ca)
    gets_in(s, 'gil')
    use(s, **tls)
    stays_out(s, 'gil', None, 'a CA that nobody knows')
    use(s, **tls, certificate_path='/etc/ssl/certs/ca-certificates.crt')
    stays_out(s, 'gil', None, 'another CA')
    use(s, **{**tls, 'host': 'localhost'}, certificate_path=d.ca)
    stays_out(s, 'gil', None, 'another host')
    use(s, **{**tls, 'host': 'localhost'}, validate_cert=False)
    gets_in(s, 'gil', about='not validated')


@test('LDAP over TLS: a file of certificates that is none')
def _(s):
    d = directory()
    for tls in ({'port': d.tls_port, 'use_tls': True}, {}):
        use(s, **tls, certificate_path='/nonexistent.pem')
        stays_out(s, 'gil', detail={'detail': 'Failed to configure TLS for LDAP connection.'})
    use(s, port=d.tls_port, use_tls=True, certificate_path='/etc/passwd')
    stays_out(s, 'gil')


@test('LDAP over TLS: ciphers as OpenSSL names them')
def _(s):
    d = directory()
    for ciphers, good in (('ECDHE-RSA-AES128-GCM-SHA256:!aNULL', True), ('HIGH', True), ('', True), (None, True), ('NONSENSE', False)):
        use(s, port=d.tls_port, use_tls=True, certificate_path=d.ca, ciphers=ciphers)
        (gets_in if good else stays_out)(s, 'gil', about=str(ciphers))


@test('LDAP: TLS and plain are not taken for each other')
def _(s):
    d = directory()
    use(s, port=d.port, use_tls=True, certificate_path=d.ca)
    stays_out(s, 'gil')
    use(s, port=d.tls_port)
    stays_out(s, 'gil')


# ---------------------------------------------------------------- directories in trouble

@test('LDAP: nobody listens, no such host, no port')
def _(s):
    for changes in ({'port': free_port()}, {'host': 'no-such-host.invalid'}, {'host': 'a b'}, {'host': '127.0.0.1/x'}, {'host': 'a@127.0.0.1'}, {'port': 70000}):
        use(s, **changes)
        start = time.monotonic()
        stays_out(s, 'gil', None, str(changes))
        check(time.monotonic() - start < 7, f'{changes}: {time.monotonic() - start:.1f} s')


def silent(reply=b''):
    """A server that takes connections and says no more than that; returns its port."""
    listener = socket.create_server(('127.0.0.1', 0))

    def serve():
        kept = []
        while True:
            kept.append(listener.accept()[0])
            with contextlib.suppress(OSError):
                kept[-1].sendall(reply)
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


@test('LDAP: a silent directory is waited for a few seconds only')
def _(s):
    for tls, low, high in ((True, 4, 8), (False, 8, 13)):
        use(s, port=silent(), use_tls=tls)
        start = time.monotonic()
        stays_out(s, 'gil')
        took = time.monotonic() - start
        check(low < took < high, f'{took:.1f} s')
    use(s)
    gets_in(s, 'gil')


@test('LDAP: a directory that answers nonsense')
def _(s):
    for reply in (b'HTTP/1.1 400 Bad Request\r\n\r\n', b'\x30\x84\xff\xff\xff\xff\x02\x01\x01', b'\x30\x84\x7f\xff\xff\xff\x02\x01\x01', b'\x30\x0c\x02\x01\x01\x61\x82\xff\xff\x0a\x01\x00\x04\x00',
                  b'\x30\x00', b'\x00' * 64):
        use(s, port=silent(reply))
        start = time.monotonic()
        stays_out(s, 'gil', None, repr(reply))
        check(time.monotonic() - start < 13, f'{reply!r}: {time.monotonic() - start:.1f} s')
    use(s)
    gets_in(s, 'gil')


@test('LDAP: the directory goes and comes back')
def _(s):
    use(s)
    d = directory()
    gets_in(s, 'dan')
    d.end()
    stays_out(s, 'dan')
    d.start()
    gets_in(s, 'dan')


if __name__ == '__main__':
    main(ENV)
