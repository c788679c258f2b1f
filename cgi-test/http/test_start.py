#!/usr/bin/env python3
"""webuictl serve: what it says when it cannot start, as whom it runs, and that nothing of it is left when it ends, however that comes about.

--server and --database as the other files; with apache, what ends is tried with apache-fcgid too."""
import argparse, contextlib, os, pwd, shutil, signal, socket, subprocess, sys, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from bad_provider import BadProvider
from harness import BUILD, ROOT, SERVERS, DATABASES, Folder, Missing, Postgres, Server, answers, check, equal, free_port, outcome, raise_limits, reachable, \
    test, total, unprivileged, wait_until
from tabs import Tab

AS_ROOT = os.geteuid() == 0


class Options:
    """What the command line chose, and what tests share."""
    server, database, postgres = 'lighttpd', 'sqlite', None

    def url(self):
        if self.database == 'sqlite':
            return None
        if not self.postgres:
            self.postgres = Postgres()
        return self.postgres.create()


OPTIONS = Options()


def ordinary():
    """An ordinary user's Popen arguments, from a root that can lend its programs; else {}: who we are."""
    return unprivileged('nobody') if AS_ROOT and reachable(os.path.join(BUILD, 'webuictl')) else {}


class Site(Server):
    """A server to end and to start again: as this user (default: an ordinary one), in a folder that all may pass."""

    def __init__(self, web_server=None, who=None, provider=None, start=True, data=None, **env):
        self.web_server, self.port, self.accounts = web_server or OPTIONS.server, free_port(), {}
        self.url, self.program = f'http://127.0.0.1:{self.port}', os.path.join(BUILD, 'webuictl')
        self.who = ordinary() if who is None else who
        self.folder = Folder('webui-', self.who)
        os.chmod(self.folder.path, 0o755)
        self.data = os.path.join(self.folder.path, data or 'data')
        base = harness.contract_environment(provider.url[:-3] if provider else 'http://127.0.0.1:9') | {'ENABLE_OLLAMA_API': 'false'}
        base |= {k: os.environ[k] for k in ('LANG', 'TZ', 'LD_LIBRARY_PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS') if k in os.environ}
        base |= {'PATH': '/usr/bin:/bin:/usr/sbin:/sbin', 'HOME': self.folder.path, 'DATA_DIR': self.data, 'HOST': '127.0.0.1', 'PORT': str(self.port),
                 'WEB_SERVER': self.web_server, 'WEBUI_FRONTEND_DIR': harness.frontend(self.folder.path)}
        url = OPTIONS.url() if start else None
        base |= {'DATABASE_URL': url} if url else {}
        self.env = {k: v for k, v in {**base, **env}.items() if v is not None}
        if self.web_server == 'apache-fcgid':
            os.makedirs(self.data, 0o700)
            if self.who:
                os.chown(self.data, self.who['user'], self.who['group'])
            self.write_dotenv()
        if start:
            self.start()

    def spawn(self, name, argv, env, cwd=None, who=None):
        super().spawn(name, argv, env, self.folder.path, who)

    def pids(self, name=''):
        """Ids of its processes whose command line has this."""
        out = []
        for pid in self.left():
            with contextlib.suppress(OSError):
                if name in open(f'/proc/{pid}/cmdline').read().replace('\0', ' '):
                    out.append(pid)
        return out

    def stop(self):
        if self.process.poll() is None or self.left():
            super().stop()
        else:
            self.end()
            self.collect()
            self.folder.remove()


def run(site):
    """Runs serve to its end; returns its status and what it said, and asserts that nothing is left of it."""
    with contextlib.closing(open(os.devnull)) as nothing:
        process = subprocess.Popen([site.program, 'serve'], env=site.env, cwd=site.folder.path, stdin=nothing, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   start_new_session=True, **site.who)
        try:
            said = process.communicate(timeout=25)[0].decode()
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            raise AssertionError(f'it did not refuse to start, but said {process.communicate()[0].decode()!r}')
        site.process, site.mark = process, 'WEBUI_TEST_MARK=none'
        equal(site.left(), [], 'processes that are left')
        return process.returncode, said


def refused(label, says, before=None, who=None, data=None, **env):
    """It says in one line what is wrong and how to mend it, and ends with status 1."""
    @test('refuses to start: ' + label)
    def _(o):
        site = Site(start=False, who=who() if who else None, data=data, **{k: v for k, v in env.items() if not callable(v)})
        try:
            site.env |= {k: v(site) for k, v in env.items() if callable(v)}
            with (before(site) if before else contextlib.nullcontext()):
                status, said = run(site)
            equal(status, 1, f'exit status; it said {said!r}')
            for word in says if isinstance(says, tuple) else (says,):
                check(word in said, f'it does not say {word!r}: {said!r}')
            shown = [line for line in said.replace(site.data, 'DATA').strip().split('\n') if not line.startswith('Downloading ')]
            equal(len(shown), 1, f'lines of {said!r}')
            check(shown[0].startswith('webuictl: '), said)
        finally:
            site.folder.remove()


# ---------------------------------------------------------------- what is wrong before it starts

@contextlib.contextmanager
def taken(site):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', site.port))
        s.listen()
        yield


@contextlib.contextmanager
def closed_folder(site):
    """DATA_DIR is there and somebody else's."""
    os.mkdir(site.data, 0o555)
    if not site.who and AS_ROOT:
        raise Missing('root may write everywhere')
    if AS_ROOT:
        os.chown(site.data, 0, 0)
    yield


def data_file(name, content=b'', mode=0o600):
    @contextlib.contextmanager
    def make(site):
        os.makedirs(site.data, 0o700, exist_ok=True)
        path = os.path.join(site.data, name)
        with open(path, 'wb') as f:
            f.write(content)
        os.chmod(path, mode)
        if site.who:
            for p in (site.data, path):
                os.chown(p, site.who['user'], site.who['group'])
        yield
    return make


@contextlib.contextmanager
def from_the_future(site):
    import sqlite3
    with data_file('webui.db')(site):
        with contextlib.closing(sqlite3.connect(os.path.join(site.data, 'webui.db'))) as db:
            db.execute('CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)')
            db.execute("INSERT INTO alembic_version VALUES ('ffffffffffff')")
            db.commit()
        yield


@contextlib.contextmanager
def without_sidecar(site):
    folder = os.path.join(site.folder.path, 'programs')
    os.mkdir(folder, 0o755)
    shutil.copy(os.path.join(BUILD, 'webui.fcgi'), folder)
    yield


refused('the port is in use', ('port', 'in use', 'PORT='), taken)
refused('PORT is no number', 'PORT', PORT='eighty')
refused('PORT is too large', 'PORT', PORT='70000')
refused('HOST is no name', 'HOST', HOST='no such host')
refused("HOST is another machine's", 'HOST', HOST='203.0.113.7')
refused('WEB_SERVER is unknown', ('WEB_SERVER', 'nginx', 'lighttpd'), WEB_SERVER='nginx')
refused('DATA_DIR cannot be written', ('DATA_DIR', 'data'), closed_folder)
refused('DATA_DIR lies below a file', 'DATA_DIR', DATA_DIR='/dev/null/data')
refused('DATA_DIR cannot be made', 'DATA_DIR', DATA_DIR='/proc/webui')
refused('DATA_DIR is too long for sockets', ('too long', 'WEBUI_RUN_DIR'), data='d' * 120)
refused('DATA_DIR has a question mark', 'DATA_DIR', data='what?')
refused('DATA_DIR has a quote', 'DATA_DIR', data='a"b')
refused('DATA_DIR has a variable in it', 'DATA_DIR', data='${HOME}')
refused('DATA_DIR has a line feed', 'DATA_DIR', data='a\nb')
refused('DATABASE_URL of another kind', 'DATABASE_URL', DATABASE_URL='mysql://root@localhost/webui')
refused('DATABASE_URL is none', 'DATABASE_URL', DATABASE_URL='webui.db')
refused('DATABASE_URL where nobody listens', 'DATABASE_URL', DATABASE_URL='postgresql://webui@127.0.0.1:1/webui')
refused('DATABASE_URL names no machine', 'DATABASE_URL', DATABASE_URL='postgresql://webui@no-such-host.invalid/webui')
refused('DATABASE_URL in a missing folder', 'DATABASE_URL', DATABASE_URL='sqlite:////nonexistent/webui.db')
refused('the database is none', 'webui.db', data_file('webui.db', b'this is no database\n' * 500))
refused('the database is of a newer program', ('ffffffffffff',), from_the_future)
refused('a program is missing', ('webui-sidecar', 'WEBUI_PROGRAM_DIR'), without_sidecar, WEBUI_PROGRAM_DIR=lambda s: os.path.join(s.folder.path, 'programs'))
refused('the frontend is missing and cannot be had', ('pip', 'WEBUI_FRONTEND_DIR'), WEBUI_FRONTEND_DIR=lambda s: s.folder.path + '/frontend',
        PATH='/nonexistent')
refused('WEBUI_RESPONDERS is nonsense', 'WEBUI_RESPONDERS', WEBUI_RESPONDERS='many')
refused('WEBUI_WORKERS is nonsense', 'WEBUI_WORKERS', WEBUI_WORKERS='0')
if AS_ROOT:
    refused('WEBUI_USER is nobody known', ('WEBUI_USER', 'no-such-user'), who=dict, WEBUI_USER='no-such-user')


# ---------------------------------------------------------------- a module of the web server is missing

@test('refuses to start: a module is missing')
def _(o):
    place, module = ('/usr/lib/lighttpd', 'mod_deflate.so') if o.server == 'lighttpd' else ('/usr/lib/apache2/modules', 'mod_proxy_fcgi.so')
    if not AS_ROOT or subprocess.run(['unshare', '-m', 'true'], stderr=subprocess.DEVNULL).returncode:
        print('   skipped: a missing module (needs root, and unshare)')
        return
    site = Site(start=False, who={})
    copy = os.path.join(site.folder.path, 'modules')
    shutil.copytree(place, copy)
    os.remove(os.path.join(copy, module))
    try:
        done = subprocess.run(['unshare', '-m', 'sh', '-c', 'mount --bind "$1" "$2" && exec "$3" serve', 'sh', copy, place, site.program], env=site.env,
                              cwd=site.folder.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        equal(done.returncode, 1, done.stdout.decode())
        check(module[:-3] in done.stdout.decode() and 'apt-get install' in done.stdout.decode(), done.stdout.decode())
        equal(done.stdout.decode().count('\n'), 1, f'lines of {done.stdout.decode()!r}')
    finally:
        site.folder.remove()


@test('refuses to start: another server works on the same DATA_DIR, which does not mind')
def _(o):
    with Site() as first:
        admin = first.admin()
        second = Site(start=False)
        try:
            status, said = run_with(second, DATA_DIR=first.data, who=first.who)
            equal(status, 1, said)
            check('another server' in said and str(first.process.pid) in said and 'DATA_DIR' in said, said)
            equal(said.count('\n'), 1, f'lines of {said!r}')
        finally:
            second.folder.remove()
        equal(admin.get('/api/v1/auths/').status, 200)
        with Tab(admin):
            pass
        first.end()
        first.start()
        equal(admin.get('/api/v1/auths/').status, 200)


def run_with(site, who, **env):
    site.env |= env
    site.who = who
    return run(site)


# ---------------------------------------------------------------- as whom, and where

def works(site):
    """An account, a tab, an answer that is saved."""
    with Tab(site.admin()) as tab:
        answer = tab.ask('bad-good').wait()
        equal((answer.error, answer.saved()['content']), ('', 'word1 word2 word3 word4 word5'))


def owners(site):
    return {pwd.getpwuid(os.stat(f'/proc/{pid}').st_uid).pw_name for pid in site.pids() if 'webuictl' not in open(f'/proc/{pid}/cmdline').read()}


def is_closed(site):
    for name, mode in (('', 0o700), ('.webui_secret_key', 0o600), ('webui.db', 0o600), ('run', 0o700)):
        path = os.path.join(site.data, name)
        if os.path.exists(path):
            equal(oct(os.stat(path).st_mode & 0o777), oct(mode), path)


@test('runs as an ordinary user')
def _(o):
    with BadProvider() as bad, Site(provider=bad, WEBUI_SECRET_KEY=None) as site:
        works(site)
        is_closed(site)
        equal(len(owners(site)), 1)


def as_root(label, user, **env):
    @test('started by root it runs as ' + label)
    def _(o):
        if not AS_ROOT:
            print(f'   skipped: started by root it runs as {label} (we are not root)')
            return
        with BadProvider() as bad, Site(provider=bad, who={}, WEBUI_SECRET_KEY=None, **env) as site:
            works(site)
            is_closed(site)
            # Apache's first process stays root, to open its log files and ports
            apache = {pwd.getpwuid(os.stat(f'/proc/{pid}').st_uid).pw_name for pid in site.pids('apache2')}
            equal(owners(site) - ({'root'} if apache else set()), {user} - ({'root'} if apache else set()))
            equal({pwd.getpwuid(os.stat(os.path.join(site.data, n)).st_uid).pw_name for n in ('', 'run', '.webui_secret_key')}, {user})
            site.end()
            site.start()
            equal(site.admin().get('/api/v1/auths/').status, 200, 'after a second start')


as_root('www-data', 'www-data')
as_root('WEBUI_USER', 'nobody', WEBUI_USER='nobody')
as_root('root, if WEBUI_USER says so', 'root', WEBUI_USER='root')


@test('started by root it runs as the owner of DATA_DIR')
def _(o):
    if not AS_ROOT:
        return
    with BadProvider() as bad, Site(provider=bad) as site:       # as nobody
        works(site)
        owner = pwd.getpwuid(os.stat(site.data).st_uid).pw_name
        site.end()
        site.who = {}
        site.start()
        equal(site.admin().get('/api/v1/auths/').status, 200)
        check(owner in owners(site) and os.stat(site.data).st_uid == pwd.getpwnam(owner).pw_uid, f'{owners(site)}')


def works_in(label, data, **env):
    @test('DATA_DIR ' + label)
    def _(o):
        with BadProvider() as bad, Site(provider=bad, data=data, **env) as site:
            works(site)
            check(o.database != 'sqlite' or os.path.exists(os.path.join(site.data, 'webui.db')), 'the database is elsewhere')


works_in('with spaces', 'my data/of open webui')
works_in('with characters that mean something elsewhere', "it's 100%25 ü&(x) @RUN@ {a},[b];<c>*^~!=:")
works_in('that is long, and a short WEBUI_RUN_DIR', 'd' * 120, WEBUI_RUN_DIR='/tmp/webui-test-run-%d' % os.getpid())


@test('DATA_DIR relative to where it is started')
def _(o):
    with BadProvider() as bad, Site(provider=bad, DATA_DIR='data') as site:
        works(site)
        check(os.path.exists(os.path.join(site.data, 'run')), 'it is elsewhere')


# ---------------------------------------------------------------- the end

def servers(o):
    return ['apache', 'apache-fcgid'] if o.server == 'apache' else [o.server]


def streaming(site, n):
    """n answers that never end, each with some words."""
    tab = Tab(site.admin())
    answers_ = []
    for _ in range(n):
        answers_.append(tab.ask('bad-endless'))
    for a in answers_:
        a.wait_words(3, 20)
    return tab, answers_


def check_saved(answers_):
    """After a restart each message holds the words that the tab had seen a second before the end at least; no task is left, no spool file."""
    for a in answers_:
        end = time.monotonic() + 10
        while not a.saved()['content'] and time.monotonic() < end:
            time.sleep(0.1)
        shown, saved = a.content.split(), a.saved()['content'].split()
        check(len(saved) > 0 and len(saved) >= len(shown) - 25, f'{len(saved)} words are saved, {len(shown)} were shown')
        equal(saved[:10], [f'word{i}' for i in range(1, 11)][:len(saved)])
        equal(a.tasks(), [])


def ends(label, sig, n=0, before=None, seconds=5, who=None):
    @test('ends: ' + label)
    def _(o):
        if who is not None and not AS_ROOT:
            print(f'   skipped: {label} (we are not root)')
            return
        for server in servers(o):
            with BadProvider() as bad, Site(server, provider=bad, who=who) as site:
                site.admin()
                tab, running = streaming(site, n) if n else (None, [])
                if before:
                    before(site)
                begin = time.monotonic()
                site.end(sig, seconds)
                took = time.monotonic() - begin
                if sig != signal.SIGKILL:
                    equal(site.process.returncode, 0, f'{server}: exit status')
                check(took < seconds, f'{server}: {took:.1f} s')
                if tab:
                    tab.close()
                site.start()
                equal(site.admin().get('/api/v1/auths/').status, 200, server)
                check_saved(running)
                if n:
                    equal(os.listdir(os.path.join(site.data, 'run', 'spool')), [], 'the spool')
                    equal(bad.gone['bad-endless'], n, 'calls that were ended')


ends('SIGINT', signal.SIGINT)
ends('SIGHUP', signal.SIGHUP)
ends('SIGTERM with 20 streams', signal.SIGTERM, 20)
ends('SIGKILL of webuictl with streams', signal.SIGKILL, 5, seconds=6)
ends('SIGKILL of webuictl that root started', signal.SIGKILL, 2, seconds=6, who={})
ends('SIGTERM when root started it', signal.SIGTERM, 2, who={})


@test('ends: SIGTERM while it starts')
def _(o):
    for wait in (0.02, 0.1, 0.2, 0.4):
        site = Site(start=False)
        try:
            site.spawn('server', [site.program, 'serve'], site.env, None, site.who)
            time.sleep(wait)
            site.end(signal.SIGTERM, 5)
        finally:
            site.folder.remove()


@test('ends: SIGTERM when a part of it hangs')
def _(o):
    with Site() as site:
        site.admin()
        for pid in site.pids('webui-sidecar') + site.pids('webui.fcgi --listen')[:2]:
            os.kill(pid, signal.SIGSTOP)
        site.end(signal.SIGTERM, 5.5)


def make_run(label, send):
    @test('ends: make run, ' + label)
    def _(o):
        tool = harness.tool('make')
        site = Site(start=False, who={})
        os.chmod(site.folder.path, 0o755)
        url = o.url()
        env = {**os.environ, **site.env} | ({'DATABASE_URL': url} if url else {})
        env |= {'SETUP': 'no', 'PATH': site.env['PATH']}
        env.pop('MAKEFLAGS', None), env.pop('MAKELEVEL', None), env.pop('BUILD', None)
        try:
            Server.spawn(site, 'make-run', [tool, '-C', ROOT, 'BUILD=' + BUILD, 'run'], env)
            wait_until(lambda: answers(site.port, '/health'), 120, 'make run', site.process)
            site.admin()
            begin = time.monotonic()
            send(site.process.pid)
            end = begin + 6
            while site.left() and time.monotonic() < end:
                site.process.poll()
                time.sleep(0.05)
            took, left = time.monotonic() - begin, site.left()
            with contextlib.suppress(AssertionError):
                site.end()
            equal(left, [], 'processes that are left')
            check(took < 5, f'{took:.1f} s')
        finally:
            site.folder.remove()


make_run('SIGTERM to make', lambda pid: os.kill(pid, signal.SIGTERM))
make_run('SIGINT to make alone', lambda pid: os.kill(pid, signal.SIGINT))
make_run('Ctrl-C', lambda pid: os.killpg(pid, signal.SIGINT))


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--server', choices=SERVERS, default='lighttpd')
    options.add_argument('--database', choices=DATABASES, default='sqlite')
    options.add_argument('--only', default='', help='tests whose label contains this')
    options.parse_args(namespace=OPTIONS)
    raise_limits()
    passed = failed = 0
    for label, function in harness.TESTS:
        if OPTIONS.only in label:
            ok = outcome(f'{label} ({OPTIONS.server}, {OPTIONS.database})', lambda: function(OPTIONS))
            passed, failed = passed + ok, failed + (not ok)
    if OPTIONS.postgres:
        OPTIONS.postgres.stop()
    sys.exit(total(passed, failed))


if __name__ == '__main__':
    main()
