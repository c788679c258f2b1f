"""An identity provider on loopback: OpenID discovery, keys, authorization (whoever asks is let in at once), tokens, userinfo, registration of clients. It also
answers for Google, GitHub and Feishu, as the HTTPS proxy through which they are reached (idp.proxy, idp.ca).

Every test sets what it wants: idp.claims (of the person), idp.userinfo (None: the claims), idp.wrong (one of WRONG), idp.answer (members put into the token answer);
idp.calls is what it was asked, newest last."""
import base64, hashlib, http.server, json, os, socket, ssl, subprocess, tempfile, threading, time, urllib.parse

HOSTS = ('accounts.google.com', 'github.com', 'api.github.com', 'accounts.feishu.cn', 'open.feishu.cn')
WRONG = ('signature', 'none', 'hs256', 'issuer', 'audience', 'party', 'expired', 'future', 'nonce', 'no id token', 'key', 'subject', 'no sub')
PNG = base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def openssl(*args, data=None):
    return subprocess.run(['openssl', *args], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout


class Key:
    """A signing key, RS256 or ES256, made by openssl."""

    def __init__(self, folder, alg, kid):
        self.alg, self.kid, self.path = alg, kid, os.path.join(folder, kid)
        kind = ('RSA', 'rsa_keygen_bits:2048') if alg == 'RS256' else ('EC', 'ec_paramgen_curve:P-256')
        openssl('genpkey', '-algorithm', kind[0], '-pkeyopt', kind[1], '-out', self.path)
        if alg == 'RS256':
            n = openssl('rsa', '-in', self.path, '-noout', '-modulus').decode().strip().split('=')[1]
            self.jwk = {'kty': 'RSA', 'n': b64(bytes.fromhex(n)), 'e': 'AQAB'}
        else:
            point = openssl('pkey', '-in', self.path, '-pubout', '-outform', 'DER')[-64:]
            self.jwk = {'kty': 'EC', 'crv': 'P-256', 'x': b64(point[:32]), 'y': b64(point[32:])}
        self.jwk |= {'kid': kid, 'alg': alg, 'use': 'sig'}

    def sign(self, text):
        der = openssl('dgst', '-sha256', '-sign', self.path, data=text)
        if self.alg == 'RS256':
            return der
        out, at = b'', 2
        for _ in range(2):      # SEQUENCE { INTEGER r, INTEGER s }
            n = der[at + 1]
            out += der[at + 2:at + 2 + n].lstrip(b'\0').rjust(32, b'\0')
            at += 2 + n
        return out

    def token(self, claims, **header):
        head = {'alg': self.alg, 'kid': self.kid, 'typ': 'JWT'} | header
        text = b64(json.dumps({k: v for k, v in head.items() if v is not None}).encode()) + '.' + b64(json.dumps(claims).encode())
        return text, self.sign(text.encode())


class Idp:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.keys = [Key(self.folder.name, 'RS256', 'rsa-1')]
        self.reset()
        handler = type('Handler', (Handler,), {'idp': self})
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        self.server.daemon_threads = True
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        self.host = self.server.server_port
        self.start_proxy(handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reset(self):
        self.claims = {'sub': 'p1', 'email': 'Pat@idp.test', 'email_verified': True, 'name': 'Pat Doe'}
        self.userinfo = None
        self.wrong, self.answer, self.metadata = None, {}, {}
        self.emails = [{'email': 'hub@idp.test', 'primary': True, 'verified': True}]
        self.calls, self.codes, self.refuses_refresh = [], {}, False

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.listener.close()
        self.folder.cleanup()

    def asked(self, path):
        return [c for c in self.calls if c['path'] == path]

    # ---- the same behind names of others

    def start_proxy(self, handler):
        cert, key = os.path.join(self.folder.name, 'cert'), os.path.join(self.folder.name, 'key')
        openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=fake',
                '-addext', 'subjectAltName=' + ','.join('DNS:' + h for h in HOSTS))
        os.chmod(self.folder.name, 0o755)
        self.ca = cert
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.proxy = f'http://127.0.0.1:{self.listener.getsockname()[1]}'

        def serve(client):
            try:
                head = b''
                while b'\r\n\r\n' not in head:
                    head += client.recv(4096) or b'\r\n\r\n'
                if not head.startswith(b'CONNECT '):
                    return
                client.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
                with context.wrap_socket(client, server_side=True) as tls:
                    handler(tls, ('127.0.0.1', 0), self.server)
            except OSError:
                pass
            finally:
                client.close()

        def accept():
            while True:
                try:
                    client, _ = self.listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(client,), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()

    # ---- id tokens

    def id_token(self, base, client_id, nonce):
        now, key, w = int(time.time()), self.keys[0], self.wrong
        claims = {'iss': base, 'aud': client_id, 'exp': now + 600, 'iat': now, 'nonce': nonce} | self.claims
        claims |= {'issuer': {'iss': 'https://evil.test'}, 'audience': {'aud': 'another'}, 'party': {'aud': [client_id, 'x'], 'azp': 'x'},
                   'expired': {'exp': now - 300}, 'future': {'iat': now + 600}, 'nonce': {'nonce': 'x' * 32}}.get(w, {})
        if w == 'no sub':
            claims.pop('sub')
        if w == 'none':
            return b64(b'{"alg":"none"}') + '.' + b64(json.dumps(claims).encode()) + '.'
        if w == 'hs256':    # with the public key as the secret
            import hmac
            text = b64(b'{"alg":"HS256"}') + '.' + b64(json.dumps(claims).encode())
            return text + '.' + b64(hmac.new(self.keys[0].jwk['n'].encode(), text.encode(), hashlib.sha256).digest())
        text, sig = key.token(claims, kid='unknown' if w == 'key' else key.kid)
        if w == 'signature':
            text = text.rsplit('.', 1)[0] + '.' + b64(json.dumps(claims | {'email': 'admin@test.test'}).encode())
        return text + '.' + b64(sig)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    idp = None

    def log_message(self, *_):
        pass

    def send(self, status, body, type='application/json', **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {'Content-Type': type, 'Content-Length': str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def base(self):
        host = self.headers.get('Host', '')
        return ('http://' if host.startswith('127.') else 'https://') + host

    def take(self):
        u = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        call = {'path': u.path, 'query': dict(urllib.parse.parse_qsl(u.query)), 'headers': {k.lower(): v for k, v in self.headers.items()}, 'body': body.decode()}
        call['form'] = dict(urllib.parse.parse_qsl(call['body'])) if not body.startswith(b'{') else json.loads(body)
        self.idp.calls.append(call)
        return call

    def do_GET(self):
        c, idp, base = self.take(), self.idp, self.base()
        path = c['path']
        if '/.well-known/' in path:
            if path.endswith('oauth-authorization-server') and idp.metadata.get('none'):
                return self.send(404, {})
            return self.send(200, {'issuer': base, 'authorization_endpoint': base + '/authorize', 'token_endpoint': base + '/token', 'userinfo_endpoint': base + '/userinfo',
                                   'jwks_uri': base + '/jwks', 'end_session_endpoint': base + '/logout', 'registration_endpoint': base + '/register',
                                   'response_types_supported': ['code'], 'scopes_supported': ['tools', 'openid']} | idp.metadata)
        if path == '/jwks':
            return self.send(200, {'keys': [k.jwk for k in idp.keys]})
        if path.endswith('/authorize'):
            code = b64(os.urandom(12))
            idp.codes[code] = c['query']
            back = c['query']['redirect_uri']
            return self.send(302, b'', Location=f"{back}{'&' if '?' in back else '?'}" + urllib.parse.urlencode({'code': code, 'state': c['query'].get('state', '')}))
        if path in ('/userinfo', '/user', '/open-apis/authen/v1/user_info'):
            if not c['headers'].get('authorization', '').startswith('Bearer at-'):
                return self.send(401, {'error': 'invalid_token'})
            info = idp.claims if idp.userinfo is None else idp.userinfo
            if idp.wrong == 'subject':
                info = info | {'sub': 'somebody else'}
            return self.send(200, {'code': 0, 'data': info} if 'feishu' in base else info)
        if path == '/user/emails':
            return self.send(200, idp.emails)
        if path == '/picture.png':
            return self.send(200, PNG, 'image/png')
        if path == '/logout':
            return self.send(200, b'<!doctype html><link rel="icon" href="data:,"><title>Fake</title>Signed out at the provider', 'text/html')
        if path == '/picture.svg':
            return self.send(200, b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', 'image/svg+xml')
        self.send(404, {})

    def do_POST(self):
        c, idp, base = self.take(), self.idp, self.base()
        if c['path'] == '/claims':      # of whoever signs in next: for tests in another process
            idp.claims = c['form']
            return self.send(200, {})
        if c['path'] == '/register':
            return self.send(201, c['form'] | {'client_id': 'dyn-' + b64(os.urandom(4)), 'client_secret': 'dyn-secret'})
        form = c['form']
        if form.get('grant_type') == 'refresh_token':
            if idp.refuses_refresh or not form['refresh_token'].startswith('rt-'):
                return self.send(400, {'error': 'invalid_grant'})
            return self.send(200, {'access_token': 'at-' + b64(os.urandom(6)), 'token_type': 'Bearer', 'expires_in': 3600} | idp.answer)
        asked = idp.codes.pop(form.get('code'), None)
        challenge = b64(hashlib.sha256(form.get('code_verifier', '').encode()).digest())
        if not asked or asked['redirect_uri'] != form['redirect_uri'] or asked['code_challenge'] != challenge or asked['code_challenge_method'] != 'S256':
            return self.send(400, {'error': 'invalid_grant'})
        client = form.get('client_id') or urllib.parse.unquote(base64.b64decode(self.headers['Authorization'].split()[1]).decode().split(':')[0])
        if client != asked['client_id']:
            return self.send(401, {'error': 'invalid_client'})
        answer = {'access_token': 'at-' + b64(os.urandom(6)), 'refresh_token': 'rt-1', 'token_type': 'Bearer', 'expires_in': 3600}
        if 'openid' in asked.get('scope', '') and idp.wrong != 'no id token':
            answer['id_token'] = idp.id_token(base, asked['client_id'], asked.get('nonce'))
        self.send(200, answer | idp.answer)
