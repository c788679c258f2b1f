"""What is measured, started for the occasion: the stub provider, PostgreSQL, the Python reference and ours."""

import argparse, glob, http.client, os, pwd, resource, shutil, signal, socket, subprocess, sys, tempfile, time

import tools
from api import Server

ENVIRONMENT = os.path.join(tools.ROOT, 'cgi-test', 'contract', 'environment.env')


def answers(port, path):
    try:
        c = http.client.HTTPConnection('127.0.0.1', port, timeout=5)
        c.request('GET', path)
        return c.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False


def wait_until(test, process, seconds, what):
    end = time.time() + seconds
    while not test():
        if process.poll() is not None or time.time() > end:
            raise SystemExit(
                f'{what} did not start'
                + (f' (exit status {process.returncode})' if process.returncode is not None else '')
            )
        time.sleep(0.2)


def marked(mark):
    """Ids of the processes that were started with this in their environment."""
    out = []
    for path in glob.glob('/proc/[0-9]*/environ'):
        try:
            if mark.encode() in open(path, 'rb').read().split(b'\0'):
                out.append(int(path.split('/')[2]))
        except OSError:
            pass
    return out


def end(process, mark=None, seconds=20):
    """Asks the process to end, then ends it, and then what it left behind."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            print(f'process {process.pid} did not end by itself', file=sys.stderr)
            process.kill()
            process.wait()
    for pid in marked(mark) if mark else []:
        print(f'process {pid} was left behind', file=sys.stderr)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Stub:
    """The provider. It can come back on the same port with longer answers."""

    def __init__(self, port, log):
        self.binary, self.port, self.log, self.process = tools.build_stub(), port, log, None
        self.address = f'127.0.0.1:{port}'
        self.start()

    def start(self, chunks=20, delay='0ms'):
        self.stop()
        env = {**os.environ, 'PORT': str(self.port), 'CHUNKS': str(chunks), 'DELAY': delay}
        self.process = subprocess.Popen(
            [self.binary], env=env, stdout=self.log, stderr=self.log, start_new_session=True
        )
        wait_until(lambda: answers(self.port, '/v1/models'), self.process, 20, 'the stub provider')

    def stop(self):
        if self.process:
            end(self.process)
            self.process = None


class Postgres:
    """A cluster of its own. It refuses to run as root, so then it runs as the user postgres (or nobody)."""

    def __init__(self, port, log):
        self.port, self.log = port, log
        bins = sorted(glob.glob('/usr/lib/postgresql/*/bin'))
        self.bin = bins[-1] if bins else os.path.dirname(shutil.which('postgres') or '')
        if not self.bin:
            raise SystemExit('PostgreSQL is not installed')
        self.dir, self.who = tempfile.mkdtemp(prefix='bench-pg-'), {}
        if os.geteuid() == 0:
            user = next(pwd.getpwnam(n) for n in ('postgres', 'nobody') if any(n == p.pw_name for p in pwd.getpwall()))
            os.chown(self.dir, user.pw_uid, user.pw_gid)
            self.who = {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []}
        data = os.path.join(self.dir, 'data')
        self.tool('initdb', '-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8')
        self.process = subprocess.Popen(
            [
                self.program('postgres'),
                '-D',
                data,
                '-p',
                str(port),
                '-k',
                self.dir,
                '-c',
                'listen_addresses=127.0.0.1',
                '-c',
                'max_connections=300',
            ],
            cwd=self.dir,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **self.who,
        )
        ready = [self.program('pg_isready'), '-q', '-h', '127.0.0.1', '-p', str(port), '-U', 'bench', '-d', 'postgres']
        wait_until(lambda: subprocess.run(ready).returncode == 0, self.process, 30, 'PostgreSQL')

    def program(self, name):
        return os.path.join(self.bin, name)

    def tool(self, name, *args):
        subprocess.run(
            [self.program(name), *args], cwd=self.dir, stdout=self.log, stderr=self.log, check=True, **self.who
        )

    def create(self, name):
        self.tool('createdb', '-h', '127.0.0.1', '-p', str(self.port), '-U', 'bench', name)
        return f'postgresql://bench@127.0.0.1:{self.port}/{name}'

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # the fast shutdown
        end(self.process)
        shutil.rmtree(self.dir, ignore_errors=True)


def backends(database):
    """Ids of the PostgreSQL processes that serve connections to this database."""
    out = []
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        try:
            words = open(path, 'rb').read().replace(b'\0', b' ').split()
        except OSError:
            continue
        if words[:1] == [b'postgres:'] and words[2:3] == [database.encode()]:
            out.append(path.split('/')[2])
    return out


def base_environment(stub_port):
    """The environment of the contract tests with our stub's port, and of ours only what programs need."""
    text = subprocess.run(
        ['sh', '-c', 'set -a; . "$1"; exec env -0', 'sh', ENVIRONMENT], env={}, stdout=subprocess.PIPE, check=True
    ).stdout
    env = dict(line.split('=', 1) for line in text.decode().split('\0') if line)
    env = {
        k: v.replace('127.0.0.1:9900', f'127.0.0.1:{stub_port}')
        for k, v in env.items()
        if k not in ('PWD', '_', 'SHLVL', 'OLDPWD')
    }
    return env | {k: os.environ[k] for k in ('PATH', 'HOME', 'LANG', 'TZ', 'LD_LIBRARY_PATH') if k in os.environ}


class Fleet:
    """Everything a comparison needs, started in a scratch directory; leaving the "with" stops it."""

    def __init__(self, args):
        self.args, self.running, self.ports, self.failed = (
            args,
            [],
            iter(range(args.ports, args.ports + 100)) if args.ports else None,
            True,
        )
        self.scratch = tempfile.mkdtemp(prefix='bench-')
        self.servers, self.postgres = [], None

    def port(self):
        while self.ports:
            port = next(self.ports)
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind(('127.0.0.1', port))
                    return port
                except OSError:
                    continue
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            return s.getsockname()[1]

    def log(self, name):
        return open(os.path.join(self.scratch, name + '.log'), 'wb')

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def start(self):
        tools.build()
        self.stub = Stub(self.port(), self.log('stub'))
        self.running.append(self.stub.stop)
        if self.args.database == 'postgres':
            self.postgres = Postgres(self.port(), self.log('postgres'))
            self.running.append(self.postgres.stop)
        if self.args.reference:
            self.start_reference()
        for web_server in [] if self.args.without_ours else self.args.web_server or ['lighttpd']:
            self.start_ours(web_server)
        if not self.servers:
            raise SystemExit('nothing to measure')

    def start_server(self, name, command, env, port, data):
        mark, short = f'BENCH_SERVER={os.getpid()}-{name}', ''.join(c for c in name if c.isalnum())
        env = base_environment(self.stub.port) | {'DATA_DIR': data, 'BENCH_SERVER': mark.split('=', 1)[1]} | env
        if self.postgres:
            env['DATABASE_URL'] = self.postgres.create(short)
        log = self.log(short)
        process = subprocess.Popen(
            command, cwd=data, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        self.running.append(lambda: end(process, mark))
        wait_until(lambda: answers(port, '/health'), process, 180, f'{name} ({" ".join(command)})')
        server = Server(name, f'http://127.0.0.1:{port}', [str(process.pid), '@' + mark])
        server.database = short if self.postgres else None
        self.servers.append(server)

    def database(self):
        return 'PostgreSQL' if self.postgres else 'SQLite'

    def data(self, name):
        path = os.path.join(self.scratch, name)
        os.mkdir(path, 0o700)
        return path

    def start_reference(self):
        home = os.environ.get('REFERENCE_HOME') or os.path.expanduser('~/.cache/reference-0.6.32')
        python, port, data = os.path.join(home, 'bin', 'python'), self.port(), self.data('reference')
        if not os.path.exists(python):
            print(
                f'The reference is not installed in {home} (see REFERENCE_HOME): measuring without it.', file=sys.stderr
            )
            return
        env = {
            'FROM_INIT_PY': 'true',
            'HF_HUB_OFFLINE': '1',
            'OFFLINE_MODE': 'true',
            'ANONYMIZED_TELEMETRY': 'false',
            'DO_NOT_TRACK': 'true',
            'GLOBAL_LOG_LEVEL': 'WARNING',
        }
        self.start_server(
            'reference',
            [
                python,
                '-m',
                'uvicorn',
                'open_webui.main:app',
                '--host',
                '127.0.0.1',
                '--port',
                str(port),
                '--log-level',
                'warning',
                '--no-access-log',
            ],
            env,
            port,
            data,
        )

    def start_ours(self, web_server):
        program, port = os.path.abspath(self.args.webuictl), self.port()
        name = 'ours' if len(self.args.web_server or []) < 2 else f'ours, {web_server}'
        if not os.access(program, os.X_OK):
            raise SystemExit(f'{program} is not there: build first, or name another with --webuictl')
        env = {'PORT': str(port), 'HOST': '127.0.0.1', 'WEB_SERVER': web_server}
        self.start_server(name, [program, 'serve'], env, port, self.data('ours-' + web_server))

    def stop(self):
        while self.running:
            self.running.pop()()
        if self.failed or self.args.keep:
            print(f'Logs and data are kept in {self.scratch}', file=sys.stderr)
        else:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def __exit__(self, kind, value, trace):
        self.failed = kind is not None and not (kind is SystemExit and value.code in (0, None))
        self.stop()


def add_options(parser: argparse.ArgumentParser):
    parser.add_argument('--database', choices=('sqlite', 'postgres'), default='sqlite')
    parser.add_argument(
        '--web-server',
        action='append',
        choices=('lighttpd', 'apache'),
        help='ours under this web server (default lighttpd); ' 'may be given twice',
    )
    parser.add_argument('--reference', action='store_true', help='measure the Python reference too, as the first')
    parser.add_argument('--without-ours', action='store_true')
    parser.add_argument('--webuictl', default=os.path.join(tools.ROOT, 'build', 'webuictl'), metavar='PATH')
    parser.add_argument('--ports', type=int, metavar='FIRST', help='use ports from here on instead of any free ones')
    parser.add_argument('--keep', action='store_true', help='keep logs and data')
