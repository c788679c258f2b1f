"""What the tests of running servers share: the stub provider, PostgreSQL, Redis and our own installation, started for the occasion on
free ports and in fresh folders; a small HTTP client; and a registry of tests.

A file of tests is a program:

    from harness import *

    @test('prompts: what is made can be read back')
    def _(s):
        ann = s.user('ann')
        equal(ann.post('/api/v1/prompts/create', {'command': '/x', 'title': 'X', 'content': 'x'}).status, 200)

    four_sides('prompts: create', 'POST', '/api/v1/prompts/create', {'command': '/y', 'title': 'Y', 'content': 'y'},
               wrong={'title': 'Y'})

    if __name__ == '__main__':
        main()

    cgi-test/http/test_prompts.py                                   under lighttpd with SQLite
    cgi-test/http/test_prompts.py --server apache --database postgres --only 'read back'

BUILD names the build directory; TEST_LOGS keeps the logs of a run with failures (BUILD/test-logs without it).
"""
import argparse, atexit, contextlib, glob, http.client, json, os, pwd, re, resource, shutil, signal, socket, subprocess, sys, tempfile
import threading, time, traceback, urllib.parse, uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get('BUILD') or 'build')
LOGS = os.environ.get('TEST_LOGS') or os.path.join(BUILD, 'test-logs', os.path.splitext(os.path.basename(sys.argv[0] or 'harness'))[0])
ENVIRONMENT = os.path.join(ROOT, 'cgi-test', 'contract', 'environment.env')
PASSWORD = 'test-Pass-1'
SERVERS, DATABASES = ('lighttpd', 'apache', 'apache-fcgid'), ('sqlite', 'postgres')


class Missing(Exception):
    """Something the test cannot do without is not there, or did not start."""


# ---------------------------------------------------------------- processes

def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def log_file(name):
    os.makedirs(LOGS, exist_ok=True)
    return open(os.path.join(LOGS, name + '.log'), 'ab')


def tool(name, *places):
    """Path of a program; Missing if there is none."""
    for place in places:
        for path in sorted(glob.glob(os.path.join(place, name)), reverse=True):
            if os.access(path, os.X_OK):
                return path
    path = shutil.which(name) or shutil.which(name, path='/usr/sbin:/usr/local/sbin:/sbin')
    if not path:
        raise Missing(f'{name} is not installed')
    return path


def wait_until(test, seconds, what, process=None):
    end = time.monotonic() + seconds
    while not test():
        if process and process.poll() is not None:
            raise Missing(f'{what} ended with status {process.returncode} while it was starting')
        if time.monotonic() > end:
            raise Missing(f'{what} did not start within {seconds} s')
        time.sleep(0.05)


def until(claim, what='what was waited for', seconds=10):
    """Waits for claim() to come true; a test fails if it does not."""
    end = time.monotonic() + seconds
    while not claim():
        check(time.monotonic() < end, f'{what}: not within {seconds} s')
        time.sleep(0.03)


def answers(port, path):
    try:
        c = http.client.HTTPConnection('127.0.0.1', port, timeout=5)
        c.request('GET', path)
        return c.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        c.close()


def unprivileged(*names):
    """Arguments of Popen to run as one of these users, if we are root; {} if we are not."""
    if os.geteuid() != 0:
        return {}
    for name in names:
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []}
    raise Missing(f'none of the users {", ".join(names)} exists')


def reachable(path):
    """Whether every user may execute this program (a check-out below /root, say, is root's alone)."""
    path = os.path.realpath(path)
    while os.stat(path).st_mode & 0o001:
        if path == '/':
            return True
        path = os.path.dirname(path)
    return False


class Folder:
    """A fresh folder with a short path (those of sockets may have 107 characters), removed at the end."""

    def __init__(self, prefix, who):
        self.path = tempfile.mkdtemp(prefix=prefix, dir='/tmp')
        self.who = who
        if who:
            os.chown(self.path, who['user'], who['group'])

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Service:
    """A process of ours, in a session of its own and marked in its environment, so that what it leaves behind is found."""
    running = []

    def spawn(self, name, argv, env, cwd=None, who=None):
        self.name, self.mark = name, f'WEBUI_TEST_MARK={uuid.uuid4().hex}'
        key, value = self.mark.split('=')
        with log_file(name) as log:
            self.process = subprocess.Popen(argv, env={**env, key: value}, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, **(who or {}))
        Service.running.append(self)

    def left(self):
        """Ids of living processes of its session, or with its mark."""
        out = []
        for path in glob.glob('/proc/[0-9]*'):
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = open(path + '/stat').read().rpartition(')')[2].split()
                if fields[0] == 'Z':
                    continue
                if int(fields[3]) == self.process.pid or self.mark.encode() in open(path + '/environ', 'rb').read().split(b'\0'):
                    out.append(int(path.rpartition('/')[2]))
        return out

    def end(self, sig=signal.SIGTERM, seconds=5):
        """Sends the signal, and asserts that nothing of it is left after so many seconds."""
        if self in Service.running:
            Service.running.remove(self)
        if self.process.poll() is None:
            self.process.send_signal(sig)
        end, left = time.monotonic() + seconds, [0]
        while left and time.monotonic() < end:
            self.process.poll()
            left = self.left()
            time.sleep(0.05 if left else 0)
        names = []
        for pid in left:
            with contextlib.suppress(OSError):
                names.append(f'{pid} ' + open(f'/proc/{pid}/cmdline').read().replace('\0', ' ').strip())
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        if left:
            raise AssertionError(f'{self.name}: still there {seconds} s after signal {int(sig)}: {"; ".join(names)}')

    stop = end

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.stop()
        except AssertionError:
            if kind is None:
                raise
            traceback.print_exc()


@atexit.register
def _end_all():
    for service in list(reversed(Service.running)):
        with contextlib.suppress(Exception):
            service.stop()


def _interrupted(number, _):
    raise SystemExit(128 + number)


signal.signal(signal.SIGTERM, _interrupted)

# ---------------------------------------------------------------- what a server needs around it


class Stub(Service):
    """The provider (cgi-test/stub): OpenAI, Ollama, tools, pages. self.url; self.log() is what it was asked since it was last read."""

    def __init__(self, chunks=20, delay=None):
        self.port = free_port()
        self.url = f'http://127.0.0.1:{self.port}'
        env = {**os.environ, 'PORT': str(self.port), 'CHUNKS': str(chunks)} | ({'DELAY': delay} if delay else {})
        self.spawn('stub', [self.binary()], env)
        wait_until(lambda: answers(self.port, '/v1/models'), 20, 'the stub provider', self.process)

    @staticmethod
    def binary():
        source, out = os.path.join(ROOT, 'cgi-test', 'stub'), os.path.join(BUILD, 'cgi-test', 'stub')
        newest = max(os.path.getmtime(f) for f in glob.glob(source + '/*.go'))
        if not os.path.exists(out) or os.path.getmtime(out) < newest:
            os.makedirs(os.path.dirname(out), exist_ok=True)
            aside = f'{out}.{os.getpid()}'
            env = {'GOFLAGS': '-mod=mod', 'GOTOOLCHAIN': 'local', 'GOPROXY': 'off', 'CGO_ENABLED': '0', 'HOME': os.path.dirname(out), **os.environ}
            built = subprocess.run([tool('go', '/usr/local/go/bin'), 'build', '-o', aside, '.'], cwd=source, env=env, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
            if built.returncode:
                raise Missing('the stub provider does not build:\n' + built.stdout.decode())
            os.replace(aside, out)
        return out

    def log(self):
        return Client(self.url).get('/log').json() or []


class Postgres(Service):
    """A cluster of its own, without fsync. It refuses to run as root, so then it runs as the user postgres (or nobody)."""

    def __init__(self):
        self.port = free_port()
        self.who = unprivileged('postgres', 'nobody')
        self.places = ('/usr/lib/postgresql/*/bin',)
        self.folder = Folder('webui-pg-', self.who)
        data, env = os.path.join(self.folder.path, 'data'), {**os.environ, 'LC_ALL': 'C.UTF-8', 'HOME': self.folder.path}
        self.client('initdb', '-D', data, '-U', 'webui', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync')
        self.spawn('postgres', [tool('postgres', *self.places), '-D', data, '-p', str(self.port), '-k', self.folder.path,
                                *(x for s in ('listen_addresses=127.0.0.1', 'max_connections=200', 'fsync=off',
                                              'full_page_writes=off', 'shared_buffers=32MB') for x in ('-c', s))], env, self.folder.path, self.who)
        ready = [tool('pg_isready', *self.places), '-q', '-h', '127.0.0.1', '-p', str(self.port), '-U', 'webui', '-d', 'postgres']
        wait_until(lambda: subprocess.run(ready).returncode == 0, 30, 'PostgreSQL', self.process)

    def client(self, name, *args):
        with log_file('postgres') as log:
            done = subprocess.run([tool(name, *self.places), *args], cwd=self.folder.path, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.who)
        if done.returncode:
            raise Missing(f'{name} ended with status {done.returncode}')

    def create(self, name=None):
        """A new, empty database; returns its URL."""
        name = name or 'db_' + uuid.uuid4().hex[:12]
        self.client('createdb', '-h', '127.0.0.1', '-p', str(self.port), '-U', 'webui', name)
        return f'postgresql://webui@127.0.0.1:{self.port}/{name}'

    def stop(self):
        try:
            self.end(signal.SIGINT, 10)     # the fast shutdown
        finally:
            self.folder.remove()


class Redis(Service):
    def __init__(self):
        self.port = free_port()
        self.url = f'redis://127.0.0.1:{self.port}/0'
        self.spawn('redis', [tool('redis-server'), '--port', str(self.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], os.environ, '/tmp')

        def up():
            with contextlib.suppress(OSError):
                with socket.create_connection(('127.0.0.1', self.port), 1) as s:
                    s.sendall(b'PING\r\n')
                    return s.recv(16).startswith(b'+PONG')
        wait_until(up, 10, 'Redis', self.process)


# ---------------------------------------------------------------- our own installation

def contract_environment(stub_url):
    """The environment that recordings were made with, and the stub where it is now."""
    text = subprocess.run(['sh', '-c', 'set -a; . "$1"; exec env -0', 'sh', ENVIRONMENT], env={}, stdout=subprocess.PIPE, check=True).stdout
    env = dict(line.split('=', 1) for line in text.decode().split('\0') if line)
    return {k: v.replace('http://127.0.0.1:9900', stub_url) for k, v in env.items() if k not in ('PWD', '_', 'SHLVL', 'OLDPWD', 'PATH')}


def fetch_frontend():
    """Open WebUI's frontend and its list of changes, downloaded if they are not there; what plays recordings or pages needs the real ones."""
    argv = [os.path.join(BUILD, 'webuictl'), 'frontend', 'fetch']
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as e:
        raise Missing(f'{argv[0]}: {e.strerror}; run make first') from e
    if done.returncode:
        raise Missing('the frontend is not there:\n' + done.stdout.decode('utf-8', 'replace')[-2000:])


FRONTEND = {'index.html': '<!doctype html><title>frontend</title>\n', 'static/favicon.png': '\x89PNG', 'static/loader.js': '',
            '_app/version.json': '{"version":"test"}\n', '_app/immutable/entry/start.js': 'export const start = 1;\n' * 100,
            'wasm/x.wasm': '\0asm', 'wasm/x.mjs': 'export {};\n', 'static/site.webmanifest': '{}\n'}


def frontend(folder):
    """The frontend's directory: the real one if WEBUI_FRONTEND_DIR names it or webuictl has it, else a few files of the same names."""
    named, ctl = os.environ.get('WEBUI_FRONTEND_DIR'), os.path.join(BUILD, 'webuictl')
    if named:
        return os.path.abspath(named)
    if os.access(ctl, os.X_OK):
        done = subprocess.run([ctl, 'frontend', 'path'], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if done.returncode == 0:
            return done.stdout.decode().strip()
    path = os.path.join(folder, 'frontend')
    for name, text in FRONTEND.items():
        os.makedirs(os.path.dirname(os.path.join(path, name)), exist_ok=True)
        with open(os.path.join(path, name), 'w', encoding='latin-1') as f:
            f.write(text)
    return path


class Server(Service):
    """`webuictl serve` on a free port, with a fresh DATA_DIR, /health answering. As root it runs as www-data (or nobody), as an operator
    would have it, if that user can get at the programs. database is sqlite, or the URL of an empty PostgreSQL database; env is added to the contract's environment, a value of None
    takes a variable out. What it said is in LOGS."""

    def __init__(self, web_server='lighttpd', database='sqlite', stub=None, env=None, data=None):
        self.web_server, self.port = web_server, free_port()
        self.url = f'http://127.0.0.1:{self.port}'
        self.program = os.path.join(BUILD, 'webuictl')
        if not os.access(self.program, os.X_OK):
            raise Missing(f'{self.program} is not there: run make first')
        tool('lighttpd' if web_server == 'lighttpd' else 'apache2')
        self.who = unprivileged('www-data', 'nobody') if reachable(self.program) else {}
        self.folder = Folder('webui-', self.who)
        self.keep = data is not None
        self.data = data or os.path.join(self.folder.path, 'data')
        if not self.keep:
            os.mkdir(self.data, 0o700)
            if self.who:
                os.chown(self.data, self.who['user'], self.who['group'])
        base = contract_environment(stub.url if stub else 'http://127.0.0.1:9')
        base |= {k: os.environ[k] for k in ('LANG', 'TZ', 'LD_LIBRARY_PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS') if k in os.environ}
        base |= {'PATH': os.environ.get('PATH', '/usr/bin:/bin') + ':/usr/sbin:/sbin', 'HOME': self.folder.path, 'DATA_DIR': self.data, 'HOST': '127.0.0.1', 'PORT': str(self.port), 'WEB_SERVER': web_server,
                 'WEBUI_FRONTEND_DIR': frontend(self.folder.path)} | ({} if database == 'sqlite' else {'DATABASE_URL': database})
        self.env = {k: v for k, v in {**base, **(env or {})}.items() if v is not None}
        self.accounts = {}
        if web_server == 'apache-fcgid':
            self.write_dotenv()
        self.start()

    def write_dotenv(self):
        """mod_fcgid hands on no environment: its responders read DATA_DIR/.env, as docs/deploy.md says."""
        path = os.path.join(self.data, '.env')
        with open(path, 'w') as f:
            for name, value in self.env.items():
                if name not in ('PATH', 'HOME', 'LANG', 'TZ', 'DATA_DIR'):
                    f.write(f"{name}='" + value.replace('\\', '\\\\').replace("'", "\\'") + "'\n")
        os.chmod(path, 0o600)
        if self.who:
            os.chown(path, self.who['user'], self.who['group'])

    def start(self):
        """Starts it (again, after end(): with the same data)."""
        self.spawn('server', [self.program, 'serve'], self.env, self.data, self.who)
        try:
            wait_until(lambda: answers(self.port, '/health'), 30, f'webuictl serve ({self.web_server})', self.process)
        except Missing:
            with contextlib.suppress(AssertionError):
                self.end()
            raise

    def ctl(self, *args, check=True):
        """Runs another command of webuictl on this installation; returns what it printed."""
        done = subprocess.run([self.program, *args], env=self.env, cwd=self.data, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, **self.who)
        if check and done.returncode:
            raise AssertionError(f'webuictl {" ".join(args)} ended with status {done.returncode}: {done.stdout.decode()}')
        return done.stdout.decode()

    def stop(self):
        try:
            self.end()
        finally:
            self.collect()
            self.folder.remove()

    def collect(self):
        """Keeps the log files that the programs wrote by themselves."""
        for path in glob.glob(self.data + '/**/*.log', recursive=True):
            with contextlib.suppress(OSError), log_file('server-' + os.path.basename(path)[:-4]) as out:
                out.write(open(path, 'rb').read())

    def stats(self):
        """What the sidecar counts (docs/plans.md, "The control socket")."""
        with socket.socket(socket.AF_UNIX) as k:
            k.connect(self.data + '/run/control.sock')
            k.sendall(b'GET /stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
            answer = b''
            while piece := k.recv(65536):
                answer += piece
        return json.loads(answer.split(b'\r\n\r\n', 1)[1])

    # ---- people

    def anyone(self):
        return Client(self.url)

    def admin(self):
        if 'admin' not in self.accounts:
            form = {'name': 'Admin', 'email': 'admin@test.test', 'password': PASSWORD}
            r = self.anyone().post('/api/v1/auths/signup', form)
            if r.status != 200:
                r = self.anyone().post('/api/v1/auths/signin', form)
            self.accounts['admin'] = Client(self.url, r.json()['token'], r.json()['id'])
        return self.accounts['admin']

    def user(self, name, role='user'):
        """The client of a person of that name, made when first asked for."""
        if name not in self.accounts:
            form = {'name': name, 'email': f'{name}@test.test', 'password': PASSWORD, 'role': role, 'profile_image_url': '/user.png'}
            r = self.admin().post('/api/v1/auths/add', form)
            equal(r.status, 200, f'account of {name}: {r.text()}')
            r = self.anyone().post('/api/v1/auths/signin', form)
            equal(r.status, 200, f'sign in of {name}: {r.text()}')
            self.accounts[name] = Client(self.url, r.json()['token'], r.json()['id'])
        return self.accounts[name]


# ---------------------------------------------------------------- HTTP

class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body    # headers: names in small letters

    def json(self):
        return json.loads(self.body)

    def text(self):
        return self.body.decode('utf-8', 'replace')

    def __repr__(self):
        return f'{self.status} {self.text()[:300]}'


class Client:
    """One person's requests, each on a connection of its own. The path is sent as it is."""

    def __init__(self, url, token=None, id=None):
        u = urllib.parse.urlsplit(url)
        self.host, self.port, self.token, self.id = u.hostname, u.port, token, id

    def request(self, method, path, json_body=None, body=None, headers=None, timeout=60):
        head = {'Authorization': 'Bearer ' + self.token} if self.token else {}
        if json_body is not None:
            body, head['Content-Type'] = json.dumps(json_body).encode(), 'application/json'
        head |= headers or {}
        c = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            c.putrequest(method, path, skip_accept_encoding=True)
            for name, value in head.items():
                c.putheader(name, value)
            if body is not None or method in ('POST', 'PUT', 'PATCH'):
                c.putheader('Content-Length', str(len(body or b'')))
            c.endheaders(body)
            r = c.getresponse()
            return Response(r.status, {k.lower(): v for k, v in r.getheaders()}, r.read())
        finally:
            c.close()

    def get(self, path, **more):
        return self.request('GET', path, **more)

    def post(self, path, json_body=None, **more):
        return self.request('POST', path, json_body, **more)

    def delete(self, path, **more):
        return self.request('DELETE', path, **more)

    def upload(self, path, name, content, type='text/plain', field='file', **fields):
        mark = uuid.uuid4().hex
        parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()]
        parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: {type}\r\n\r\n'.encode()
                     + content + b'\r\n')
        return self.request('POST', path, body=b''.join(parts) + f'--{mark}--\r\n'.encode(),
                            headers={'Content-Type': 'multipart/form-data; boundary=' + mark})

    def lines(self, method, path, json_body=None, timeout=60):
        """The lines of a streamed answer, each with the time it came (seconds, monotonic)."""
        c = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            head = {'Content-Type': 'application/json'} | ({'Authorization': 'Bearer ' + self.token} if self.token else {})
            c.request(method, path, None if json_body is None else json.dumps(json_body), head)
            r = c.getresponse()
            while line := r.readline():
                yield time.monotonic(), line.decode('utf-8', 'replace').rstrip('\r\n')
        finally:
            c.close()


# ---------------------------------------------------------------- tests

TESTS = []


def test(label):
    """Registers a test: a function of the running server, which asserts."""
    def add(function):
        if any(label == known for known, _ in TESTS):
            raise ValueError(f'two tests are called "{label}"')
        TESTS.append((label, function))
        return function
    return add


def equal(got, want, about=''):
    if got != want:
        raise AssertionError(f'{about + ": " if about else ""}want {want!r}, got {got!r}')


def check(claim, about=''):
    if not claim:
        raise AssertionError(about or 'not so')


def four_sides(label, method, path, body=None, wrong=None, works=200, wrong_status=422, stranger_status=401, other_status=401,
               before=None, owner='ann', other='bob'):
    """The four tests every route has: it works, wrong input, not signed in, not yours. before(server, owner) makes what the path names and
    returns the values for its {…}. Without wrong (a body), and with other_status None, those sides are left out: for routes that have none."""
    def where(s):
        return path.format(**(before(s, s.user(owner)) if before else {}))

    def side(who, payload, status):
        def run(s):
            r = who(s).request(method, where(s), payload)
            equal(r.status, status, f'{method} {path}: {r.text()[:200]}')
        return run
    person = (lambda s: s.admin()) if owner == 'admin' else (lambda s: s.user(owner))
    test(f'{label}: works')(side(person, body, works))
    if wrong is not None:
        test(f'{label}: wrong input')(side(person, wrong, wrong_status))
    test(f'{label}: not signed in')(side(lambda s: s.anyone(), body, stranger_status))
    if other_status is not None:
        test(f'{label}: not yours')(side(lambda s: s.user(other), body, other_status))


def outcome(label, run):
    """Runs one test and says so if it fails; returns whether it passed."""
    try:
        run()
        return True
    except Exception as e:
        where = '' if isinstance(e, (AssertionError, Missing)) else ''.join(traceback.format_tb(e.__traceback__)[-1:])
        print(f'FAILED {label}: {"" if isinstance(e, AssertionError) else type(e).__name__ + ": "}{e}\n{where}'.rstrip(), flush=True)
        return False


SUM = re.compile(r'(?:[\w -]+: )?(\d+) passed, (\d+) failed\s*')


def shown(process):
    """Shows what it prints; returns the numbers of its last sum, None if there is none."""
    passed = failed = None
    for line in process.stdout:
        text = line.decode('utf-8', 'replace')
        found = SUM.fullmatch(text)
        if found:
            passed, failed = map(int, found.groups())
        else:
            sys.stdout.write(text)
            sys.stdout.flush()
    return passed, failed


def program(label, argv, env=None, limit_s=900):
    """Runs a program that ends with a line `N passed, N failed`, showing the rest of what it prints; returns (passed, failed)."""
    try:
        process = subprocess.Popen(argv, cwd=ROOT, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
    except OSError as e:
        print(f'FAILED {label}: {e}')
        return 0, 1
    timer = threading.Timer(limit_s, process.terminate)
    timer.daemon = True
    timer.start()
    try:
        passed, failed = shown(process)
    finally:
        timer.cancel()
        if process.poll() is None:      # we were interrupted, and so is it
            process.terminate()
        status = process.wait()
    if passed is None or passed + failed == 0 or status != 0 and failed == 0:
        print(f'FAILED {label}: ended with status {status}' + ('' if passed else ', and had run nothing'))
        return passed or 0, (failed or 0) + 1
    print(f'   {label}: {passed} passed, {failed} failed', flush=True)
    return passed, failed


def python_with(*modules):
    """A Python that can import these; Missing if there is none. (The first in PATH may be none of Debian's, and know no packages of it.)"""
    for python in (sys.executable, '/usr/bin/python3'):
        with contextlib.suppress(OSError):
            if subprocess.run([python, '-c', 'import ' + ', '.join(modules)], stderr=subprocess.DEVNULL).returncode == 0:
                return python
    raise Missing('Python has no ' + ', '.join(modules))


def total(passed, failed):
    """The last line of a program of tests; returns its exit status."""
    print(f'{passed} passed, {failed} failed', flush=True)
    if not failed and passed:
        with contextlib.suppress(OSError):
            if not os.environ.get('TEST_LOGS'):
                shutil.rmtree(LOGS)
    return 1 if failed or not passed else 0


def raise_limits():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextlib.contextmanager
def installation(web_server='lighttpd', database='sqlite', env=None, **stub_options):
    """A server with a stub provider behind it, and a PostgreSQL if the database is to be one. server.stub is the stub. env may be a function of its URL."""
    with contextlib.ExitStack() as stack:
        stub = stack.enter_context(Stub(**stub_options))
        url = stack.enter_context(Postgres()).create() if database == 'postgres' else database
        server = stack.enter_context(Server(web_server, url, stub, env(stub.url) if callable(env) else env))
        server.stub = stub
        yield server


def main(env=None, **stub_options):
    """Runs the registered tests against one server; its end is a test of its own."""
    options = argparse.ArgumentParser()
    options.add_argument('--server', choices=SERVERS, default='lighttpd')
    options.add_argument('--database', choices=DATABASES, default='sqlite')
    options.add_argument('--only', default='', help='tests whose label contains this')
    args = options.parse_args()
    raise_limits()
    chosen = [(label, function) for label, function in TESTS if args.only in label]
    passed = failed = 0
    suffix = f' ({args.server}, {args.database})'
    try:
        with installation(args.server, args.database, env, **stub_options) as server:
            for label, function in chosen:
                ok = outcome(label + suffix, lambda: function(server))
                passed, failed = passed + ok, failed + (not ok)
            ok = outcome('it ends when it is told' + suffix, server.end)
            passed, failed = passed + ok, failed + (not ok)
    except (Missing, AssertionError) as e:
        print(f'FAILED{suffix}: {e}')
        failed += max(1, len(chosen) - passed - failed)
    sys.exit(total(passed, failed))
