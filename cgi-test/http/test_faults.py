#!/usr/bin/env python3
"""Bad days: providers that fail in every way (bad_provider.py), processes that are killed, a database that is away, requests that are nonsense. What a
person sees in his tab, what is saved, and that all is well again afterwards."""
import contextlib, json, os, re, signal, socket, sqlite3, subprocess, sys, threading, time, uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from bad_provider import MODELS, BadProvider
from harness import Postgres, Service, check, equal, main, test
from tabs import Tab, new_chat

LIMIT_S = 5          # AIOHTTP_CLIENT_TIMEOUT
FIVE = 'word1 word2 word3 word4 word5'
TEN = FIVE + ' word6 word7 word8 word9 word10'
BAD = None           # the provider


# ---------------------------------------------------------------- a provider's bad days, as a tab sees them

def day(model, content='', error='', seconds=5, begins=False):
    """A question to this model: the tab shows this text and this error (a part of it), and both are saved; the next question is answered."""
    @test('provider: ' + model)
    def _(s):
        with Tab(s.user('ann')) as tab:
            begin = time.monotonic()
            a = tab.ask('bad-' + model).wait(seconds + 10)
            took = time.monotonic() - begin
            check(took < seconds, f'over after {took:.1f} s')
            saved = a.saved()
            if begins:
                check(a.content.startswith(content) and saved['content'].startswith(content), f'shown {a.content[:200]!r}, saved {saved["content"][:200]!r}')
            else:
                equal(a.content, content, 'shown')
                equal(saved['content'], content, 'saved')
            check(error in a.error and bool(error) == bool(a.error), f'the error that is shown: {a.error[:300]!r}')
            check(error in json.dumps(saved.get('error') or '', ensure_ascii=False) and bool(error) == bool(saved.get('error')), f'the error that is saved: {saved.get("error")!r}')
            check(bool(error) or a.done, 'it is not done')
            equal(a.tasks(), [], 'tasks')
            good = tab.ask('bad-good').wait()
            equal((good.content, good.error), (FIVE, ''), 'the next question')


day('good', FIVE)
day('late', FIVE)
day('split', 'grüße 😀 naïve')
day('interim', FIVE)
day('headers-odd', FIVE)
day('no-done', FIVE)
day('garbage-mid', FIVE)
day('deep', FIVE)
day('noise-4mb', FIVE + ' last')
day('endless', 'word1 word2 word3', 'stopped answering', LIMIT_S + 2, begins=True)
day('hang', '', 'did not answer in time', LIMIT_S + 2)
day('hang-mid', FIVE, 'stopped answering', LIMIT_S + 2)
day('cut', FIVE, 'broke off')
day('cut-in-line', FIVE, 'broke off')
day('short', FIVE, 'broke off')
day('reset-mid', FIVE, 'broke off')
day('chunks-wrong', FIVE, 'broke off')
day('line-endless', FIVE, 'too large', 15)
day('error-mid', FIVE, 'out of memory in the middle')
day('error-500', '', 'the graphics card is on fire')
day('error-429', '', 'too many questions')
day('error-401', '', 'the key is wrong')
day('error-html', '', '500: <html><head><title>500 Bad Day')
day('error-huge', '', '500: <p><p>')
day('error-empty', '', '503')
day('redirect', '', '302')
day('html', '', 'Bad Day')
day('garbage', '', 'cannot be understood')
day('empty', '', 'empty answer')
for model in ('reset', 'close', 'no-http', 'headers-huge', 'headers-endless', 'headers-nul', 'headers-none'):
    day(model, '', 'model provider')


@test('provider: a line of 4 MB')
def _(s):
    with Tab(s.user('ann')) as tab:
        a = tab.ask('bad-line-4mb').wait(40)
        want = FIVE + ' ' + 'x' * (4 << 20) + ' last'
        check(a.done and not a.error, f'{a.kinds()[-3:]} {a.error}')
        check(a.content == want, f'shown: {len(a.content)} characters')
        check(a.saved()['content'] == want, 'saved')


@test('provider: more text than can be kept')
def _(s):
    with Tab(s.user('ann')) as tab:
        a = tab.ask('bad-flood')
        a.until(lambda: a.saved().get('error'), 30, 'the error')
        check('too large' in str(a.saved()['error']) and len(a.saved()['content']) > 10 << 20, f'{len(a.saved()["content"])} characters, {a.saved()["error"]}')
        equal(a.tasks(), [])
    wait_for(lambda: BAD.gone['bad-flood'], 3, 'the end of the call')


@test('provider: broken characters')
def _(s):
    with Tab(s.user('ann')) as tab:
        a = tab.ask('bad-bytes-mid').wait()
        check(a.done and a.content.startswith(FIVE) and a.content.endswith('last'), a.content)
        saved = a.saved()['content']
        check(saved.startswith(FIVE) and saved.endswith('last') and '\0' not in saved, repr(saved))
        for pattern in ('word1', 'last'):
            equal(s.user('ann').get(f'/api/v1/chats/search?text={pattern}').status, 200)


@test('provider: nobody listens, and again somebody does')
def _(s):
    with Tab(s.user('ann')) as tab:
        equal(tab.ask('bad-good').wait().content, FIVE)
        BAD.close()
        try:
            a = tab.ask('bad-good').wait()
            check('could not be reached' in a.error and 'could not be reached' in str(a.saved()['error']), f'{a.error!r} {a.saved()}')
            r = complete(s, 'bad-good')
            check(r.status == 502 and 'could not be reached' in r.json()['detail'], r)
        finally:
            BAD.open()
        equal(tab.ask('bad-good').wait().content, FIVE)


# ---------------------------------------------------------------- the same for programs that read the HTTP answer

def complete(s, model, stream=True, timeout=20):
    return s.user('ann').post('/api/chat/completions', {'model': model, 'stream': stream, 'messages': [{'role': 'user', 'content': 'Hello'}]}, timeout=timeout)


@test('provider: what a program gets')
def _(s):
    for model, status, text in (('error-500', 500, 'the graphics card is on fire'), ('error-429', 429, 'too many questions'), ('error-401', 401, 'the key is wrong'),
                                ('error-html', 500, 'Bad Day'), ('hang', 504, 'in time'), ('close', 502, 'provider'), ('reset', 502, 'provider'),
                                ('no-http', 502, 'provider'), ('headers-huge', 502, 'provider'), ('cut', 200, '"error"'), ('reset-mid', 200, '"error"'),
                                ('hang-mid', 200, '"error"'), ('good', 200, '[DONE]')):
        for stream in (True, False):
            if stream or status != 200:
                r = complete(s, 'bad-' + model, stream)
                check(r.status == status and text in r.text(), f'{model}, stream {stream}: {r}')
                check(status not in (502, 504) or r.json()['detail'], f'{model}: {r}')
    r = complete(s, 'bad-headers-odd')
    check(r.status == 200 and 'set-cookie' not in r.headers and 'x-accel-redirect' not in r.headers, r.headers)
    r = complete(s, 'bad-html', False)
    check(r.headers['content-type'].startswith('text/plain'), f'a page of the provider is shown as one of ours: {r}')
    for model in ('cut', 'line-endless', 'flood', 'empty', 'garbage', 'error-empty', 'error-huge', 'redirect'):
        r = complete(s, 'bad-' + model, False)
        check(r.status != 500 or model == 'error-huge', f'{model}: {r}')


@test('provider: a program that leaves ends the call within a second')
def _(s):
    before = BAD.gone['bad-endless']
    lines = s.user('ann').lines('POST', '/api/chat/completions', {'model': 'bad-endless', 'stream': True, 'messages': [{'role': 'user', 'content': 'Hello'}]})
    for _ in range(4):
        next(lines)
    lines.close()
    wait_for(lambda: BAD.gone['bad-endless'] > before, 1.5, 'the end of the call')


@test('provider: stop ends the call within a second, and what had come is saved')
def _(s):
    before = BAD.gone['bad-endless']
    with Tab(s.user('ann')) as tab:
        a = tab.ask('bad-endless').wait_words(5)
        equal(s.user('ann').post('/api/tasks/stop/' + a.tasks()[0], {}).json()['status'], True)
        wait_for(lambda: BAD.gone['bad-endless'] > before, 1.5, 'the end of the call')
        a.until(lambda: 'chat:tasks:cancel' in a.kinds(), 3, 'the cancel event')
        equal(a.saved()['content'], a.content)


@test('provider: forty bad ones at once do not hold up a good one')
def _(s):
    with Tab(s.user('ann')) as bad, Tab(s.user('bob')) as tab:
        running = [bad.ask('bad-' + m) for m in ('hang', 'hang-mid', 'endless', 'noise-4mb', 'error-huge', 'cut', 'garbage-mid', 'headers-endless') for _ in range(5)]
        worst = 0
        for _ in range(10):
            begin = time.monotonic()
            equal(tab.ask('bad-good').wait().content, FIVE)
            worst = max(worst, time.monotonic() - begin)
        check(worst < 3, f'{worst:.1f} s')
        for a in running:
            a.wait(LIMIT_S + 10)


# ---------------------------------------------------------------- processes that are killed

def wait_for(test_, seconds, what):
    end = time.monotonic() + seconds
    while not test_():
        if time.monotonic() > end:
            raise AssertionError(f'{what} did not come within {seconds} s')
        time.sleep(0.03)


def processes(s):
    """Command lines of the server's processes by id, and their parents."""
    out = {}
    for pid in s.left():
        with contextlib.suppress(OSError):
            line = open(f'/proc/{pid}/cmdline').read().replace('\0', ' ')
            parent = int(open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[1])
            if line:
                out[pid] = (line, parent)
    return out


def pids(s, kind):
    """responder, pool (their parent), worker, workers (their parent), sidecar, web."""
    all_ = processes(s)
    fcgi = {p: v for p, v in all_.items() if 'webui.fcgi' in v[0]}
    workers = {p: v for p, v in fcgi.items() if '--worker' in v[0]}
    responders = {p: v for p, v in fcgi.items() if p not in workers}
    apache = [p for p, v in all_.items() if 'apache2' in v[0] or 'lighttpd' in v[0]]
    return {'sidecar': [p for p, v in all_.items() if 'webui-sidecar' in v[0]],
            'workers': [p for p, v in workers.items() if v[1] not in workers], 'worker': [p for p, v in workers.items() if v[1] in workers],
            'pool': [p for p, v in responders.items() if v[1] not in responders and '--listen' in v[0]],
            'responder': [p for p, v in responders.items() if v[1] in responders or '--listen' not in v[0]],
            'web': [p for p in apache if all_[p][1] not in apache]}[kind]


def kill(s, kind):
    found = pids(s, kind)
    check(found, f'there is no {kind}')
    for p in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(p, signal.SIGKILL)
    return found


def all_is_well(s, seconds=5):
    """Pages, responders, sidecar and workers answer."""
    last = []

    def try_all():
        try:
            last[:] = [s.anyone().get('/c/abc', timeout=5).status, s.user('ann').get('/api/v1/auths/', timeout=5).status,
                       s.anyone().get('/ws/socket.io/?EIO=4&transport=polling', timeout=5).status, complete(s, 'bad-good', timeout=5).status]
        except OSError as e:
            last[:] = [str(e)]
        except Exception as e:
            last[:] = [repr(e)]
        return last == [200] * 4
    begin = time.monotonic()
    try:
        wait_for(try_all, seconds, 'all is well')
    except AssertionError:
        raise AssertionError(f'not well after {seconds} s: {last}')
    return time.monotonic() - begin


@test('killed: a responder that is idle')
def _(s):
    s.user('ann').get('/api/v1/auths/')
    before = len(pids(s, 'responder'))
    os.kill(pids(s, 'responder')[0], signal.SIGKILL)
    failed = sum(s.user('ann').get('/api/v1/auths/').status != 200 for _ in range(30))
    check(failed <= 1, f'{failed} of 30 requests failed')
    wait_for(lambda: s.web_server == 'apache-fcgid' or len(pids(s, 'responder')) >= min(before, 4), 2, 'another one')
    all_is_well(s)


@test('killed: responders in the middle of requests cost these requests')
def _(s):
    ann, results = s.user('ann'), []
    with locked(s):
        threads = [threading.Thread(target=lambda: results.append(ann.post('/api/v1/chats/new', {'chat': {'title': 'x'}}).status)) for _ in range(3)]
        for t in threads:
            t.start()
        time.sleep(1)
        kill(s, 'responder')
        for t in threads:
            t.join(20)
    equal(len(results), 3, 'answers')
    check(all(500 <= r < 600 for r in results), f'{results}')
    all_is_well(s)
    equal(ann.post('/api/v1/chats/new', {'chat': {'title': 'x'}}).status, 200)


@test("killed: the responders' parent")
def _(s):
    if s.web_server == 'apache-fcgid':
        return      # mod_fcgid is their parent
    old = kill(s, 'pool') + pids(s, 'responder')
    took = all_is_well(s, 6)
    wait_for(lambda: not set(old) & set(processes(s)), 5, 'the end of the old ones')
    check(took < 5, f'{took:.1f} s')


@test('killed: the sidecar, in the middle of an answer')
def _(s):
    BAD.hold.clear()
    try:
        with Tab(s.user('ann'), reconnection=True) as tab:
            a = tab.ask('bad-held').wait_words(5)
            b = tab.ask('bad-endless').wait_words(5)
            time.sleep(1.2)                      # what was shown is on disk within a second
            shown = b.content.split()
            gone, old = BAD.gone['bad-endless'], pids(s, 'workers') + pids(s, 'worker')
            kill(s, 'sidecar')
            wait_for(lambda: tab.connections >= 2, 5, 'the connection')
            wait_for(lambda: a.saved().get('error') and b.saved().get('error'), 10, 'the error')
            equal(a.saved()['content'], FIVE)
            words = b.saved()['content'].split()
            check(len(words) >= len(shown) - 22 and words == [f'word{i + 1}' for i in range(len(words))], f'{len(shown)} words were shown, {len(words)} are saved')
            check('restarted' in str(a.saved()['error']), a.saved()['error'])
            wait_for(lambda: BAD.gone['bad-endless'] > gone, 3, "the end of the provider's call")
            wait_for(lambda: os.listdir(os.path.join(s.data, 'run', 'spool')) == [], 3, 'the end of the spool')
            equal(a.tasks() + b.tasks(), [])
            wait_for(lambda: not set(old) & set(processes(s)), 5, 'the end of the old workers')
            BAD.hold.set()
            c = tab.ask('bad-good').wait()
            equal((c.content, c.done), (FIVE, True), 'the next question in the same tab')
    finally:
        BAD.hold.set()
    all_is_well(s)


@test('killed: the sidecar, again and again')
def _(s):
    with Tab(s.user('ann'), reconnection=True) as tab:
        for _ in range(4):
            old = kill(s, 'sidecar')
            wait_for(lambda: set(pids(s, 'sidecar')) - set(old), 12, 'another sidecar')
            time.sleep(0.2)
        all_is_well(s, 15)
        wait_for(lambda: tab.io.connected, 10, 'the connection')
        equal(tab.ask('bad-good').wait().content, FIVE)


@test('killed: a worker in the middle of the finish step')
def _(s):
    BAD.hold.clear()
    try:
        with Tab(s.user('ann')) as tab:
            a = tab.ask('bad-held').wait_words(5)
            with locked(s):
                BAD.hold.set()
                time.sleep(1)
                kill(s, 'worker')
                time.sleep(0.5)
            a.wait(15)
            equal((a.content, a.done, a.error), (TEN, True, ''))
            equal((a.saved()['content'], a.saved().get('error')), (TEN, None))
    finally:
        BAD.hold.set()


@test("killed: the workers' parent, in the middle of an answer")
def _(s):
    BAD.hold.clear()
    try:
        with Tab(s.user('ann')) as tab:
            a = tab.ask('bad-held').wait_words(5)
            old = kill(s, 'workers') + pids(s, 'worker')
            BAD.hold.set()
            a.wait(15)
            equal((a.saved()['content'], a.done, a.error), (TEN, True, ''))
            wait_for(lambda: not set(old) & set(processes(s)), 5, 'the end of the old ones')
    finally:
        BAD.hold.set()
    all_is_well(s)


@test('killed: the web server, in the middle of an answer')
def _(s):
    with Tab(s.user('ann'), reconnection=True) as tab:
        a = tab.ask('bad-tens').wait_words(2)
        kill(s, 'web')
        took = all_is_well(s, 10)
        check(took < 8, f'{took:.1f} s')
        wait_for(lambda: tab.connections >= 2, 8, 'the connection')
        wait_for(lambda: a.saved()['content'] == TEN, 10, 'the whole answer')
        equal(a.saved().get('error'), None)


# ---------------------------------------------------------------- the database

@contextlib.contextmanager
def locked(s):
    """Somebody else holds the database's (PostgreSQL: the chat table's) lock."""
    url = s.env.get('DATABASE_URL')
    if not url:
        with contextlib.closing(sqlite3.connect(os.path.join(s.data, 'webui.db'), timeout=10, isolation_level=None)) as db:
            db.execute('BEGIN IMMEDIATE')
            yield
            db.execute('ROLLBACK')
        return
    psql = subprocess.Popen([harness.tool('psql', '/usr/lib/postgresql/*/bin'), '-qAt', url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        psql.stdin.write(b'BEGIN; LOCK TABLE chat IN ACCESS EXCLUSIVE MODE; SELECT 1;\n')
        psql.stdin.flush()
        equal(psql.stdout.readline(), b'1\n', 'psql')
        yield
    finally:
        psql.stdin.close()
        psql.wait(10)


def is_503(r):
    check(r.status == 503 and r.json()['detail'] and r.headers.get('retry-after'), f'{r} {r.headers}')


@test('database: locked by another program, 503 after the waiting time, and well again')
def _(s):
    if s.env.get('DATABASE_URL'):
        return      # PostgreSQL has no such time unless its administrator sets one
    ann = s.user('ann')
    with Tab(ann) as tab:
        a = tab.ask('bad-tens').wait_words(2)
        with locked(s):
            begin = time.monotonic()
            is_503(ann.post('/api/v1/chats/new', {'chat': {'title': 'locked'}}))
            took = time.monotonic() - begin
            check(3 < took < 8, f'503 after {took:.1f} s')
            equal(ann.get('/api/v1/chats/').status, 200, 'reading goes on')
            a.until(lambda: 'word10' in a.content, 10, 'the last word')
        a.wait(15)
        equal((a.saved()['content'], a.error), (TEN, ''))
    titles = [c['title'] for c in ann.get('/api/v1/chats/').json()]
    check('locked' not in titles, 'what was refused is there')
    equal(ann.post('/api/v1/chats/new', {'chat': {'title': 'locked'}}).status, 200)


def postgres_of(s):
    return next((x for x in Service.running if isinstance(x, Postgres)), None) if s.env.get('DATABASE_URL') else None


@contextlib.contextmanager
def away(pg, sig):
    """PostgreSQL is stopped, and started again."""
    pg.process.send_signal(sig)
    pg.process.wait(20)
    try:
        yield
    finally:
        Service.running.remove(pg)
        pg.spawn('postgres', pg.process.args, {**os.environ, 'LC_ALL': 'C.UTF-8', 'HOME': pg.folder.path}, pg.folder.path, pg.who)
        ready = [harness.tool('pg_isready', *pg.places), '-q', '-h', '127.0.0.1', '-p', str(pg.port)]
        harness.wait_until(lambda: subprocess.run(ready).returncode == 0, 30, 'PostgreSQL', pg.process)


def database_goes(label, sig):
    @test('database: ' + label)
    def _(s):
        pg = postgres_of(s)
        if not pg:
            return      # SQLite is a file
        ann = s.user('ann')
        stop, statuses = threading.Event(), []

        def load():
            while not stop.is_set():
                with contextlib.suppress(OSError):
                    statuses.append(ann.get('/api/v1/chats/').status)
        with Tab(ann) as tab:
            running = [tab.ask('bad-tens') for _ in range(10)]
            for a in running:
                a.wait_words(2)
            threads = [threading.Thread(target=load) for _ in range(4)]
            for t in threads:
                t.start()
            try:
                with away(pg, sig):
                    time.sleep(0.3)
                    is_503(ann.get('/api/v1/chats/'))
                    is_503(ann.post('/api/v1/chats/new', {'chat': {'title': 'x'}}))
                    is_503(s.anyone().post('/api/v1/auths/signin', {'email': 'ann@test.test', 'password': harness.PASSWORD}))
                    equal(s.anyone().get('/health').status, 200, '/health')
                    check(s.anyone().get('/health/db').status >= 500, '/health/db')
                    check(s.anyone().get('/api/config').status in (200, 503), '/api/config')
                    for a in running:
                        a.until(lambda a=a: 'word10' in a.content, 10, 'the last word')
                    r = complete(s, 'bad-good')          # needs nothing that a worker does not know by heart
                    check(r.status == 200 or r.status == 503 and r.json()['detail'], r)
                begin = time.monotonic()
                wait_for(lambda: ann.get('/api/v1/chats/').status == 200, 10, 'the database')
                for a in running:
                    a.wait(20)
                    equal((a.saved()['content'], a.done, a.error), (TEN, True, ''))
                check(time.monotonic() - begin < 15, 'slow to recover')
            finally:
                stop.set()
                for t in threads:
                    t.join()
        check(set(statuses) == {200, 503}, f'{set(statuses)}')
        all_is_well(s)


database_goes('stopped under load, 503, and well again by itself', signal.SIGINT)
database_goes('crashed under load, 503, and well again by itself', signal.SIGQUIT)


@test("database: its connections are cut, and nobody notices")
def _(s):
    if not s.env.get('DATABASE_URL'):
        return
    for _ in range(3):
        subprocess.run([harness.tool('psql', '/usr/lib/postgresql/*/bin'), '-qAt', s.env['DATABASE_URL'], '-c',
                        'SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()'],
                       check=True, stdout=subprocess.DEVNULL)
        equal({s.user('ann').get('/api/v1/chats/').status for _ in range(12)}, {200})
        equal({complete(s, 'bad-good').status for _ in range(3)}, {200})


# ---------------------------------------------------------------- requests that are nonsense

def deaths(s):
    """Lines of the log about processes of ours that did not end by themselves."""
    with open(os.path.join(harness.LOGS, s.name + '.log'), encoding='utf-8', errors='replace') as f:
        return [line for line in f if re.search(r'was ended by signal|ended with status|AddressSanitizer|runtime error', line)]


def not_broken(s, before):
    """Since then no process of ours has died. (A responder that is idle may end: that is no death.)"""
    sidecars, lines = before
    equal(pids(s, 'sidecar'), sidecars, 'the sidecar')
    equal(deaths(s)[len(lines):], [], 'processes that have died')


def alive(s):
    s.user('ann').get('/api/v1/auths/')
    return pids(s, 'sidecar'), deaths(s)


def routes(s):
    """Method and path of every route that the server knows, its names filled in by fill."""
    document = s.admin().get('/openapi.json')
    equal(document.status, 200, 'openapi.json')
    return [(m.upper(), p) for p, methods in sorted(document.json()['paths'].items()) for m in methods if m in ('get', 'post', 'put', 'patch', 'delete')]


def fill(path, value):
    out = ''
    while '{' in path:
        before, _, rest = path.partition('{')
        _, _, path = rest.partition('}')
        out += before + value
    return out + path


NOT_MEANT = ('/api/v1/auths/signout',)       # it would end the session of the test


@test('nonsense: bodies that are no JSON, at every route')
def _(s):
    before, ann = alive(s), s.user('ann')
    for method, path in routes(s):
        if method == 'GET' or path in NOT_MEANT:
            continue
        for body in (b'{', b'[]', b'{"a": tru', b'\xff\xfe', b'"' + b'x' * 1000, b'[' * 100000, b'{"a":' * 20000, b'{"\\ud800": "\\u0000"}', b'1e999999', b'NaN', b''):
            r = ann.request(method, fill(path, str(uuid.uuid4())), body=body, headers={'Content-Type': 'application/json'})
            check(r.status < 500 or r.status == 501, f'{method} {path} {body[:20]}: {r}')
            check(r.status < 400 or path.startswith('/openai/') or 'detail' in r.json(), f'{method} {path} {body[:20]}: {r}')    # /openai/: the provider's own words
    not_broken(s, before)


@test('nonsense: values of wrong types, at every route')
def _(s):
    schema, before, ann = s.admin().get('/openapi.json').json(), alive(s), s.user('ann')
    for method, path in routes(s):
        content = schema['paths'][path][method.lower()].get('requestBody', {}).get('content', {}).get('application/json', {}).get('schema', {})
        form = schema['components']['schemas'].get(content.get('$ref', '').rpartition('/')[2], content)
        names = list(form.get('properties', {})) or ['id', 'name', 'chat']
        if method == 'GET' or path in NOT_MEANT or path.startswith('/api/v1/auths/update'):
            continue
        for value in (None, 7, -1.5, 'x', [], [[1]], {}, {'a': {'b': [None]}}, True, 'x' * 20000, '\0', '\ud800', 10 ** 30):
            r = ann.request(method, fill(path, str(uuid.uuid4())), {n: value for n in names})
            check(r.status < 500 or r.status == 501 or r.status in (502, 504) and 'model' in names, f'{method} {path} {str(value)[:20]}: {r}')
    not_broken(s, before)


@test('nonsense: ids that nobody has, at every route')
def _(s):
    before, ann = alive(s), s.user('ann')
    for method, path in routes(s):
        if '{' not in path:
            continue
        for value in ('nope', '0', '-1', 'x' * 5000, '%00', '%ff%fe', '%2e%2e%2f', "'%20OR%201=1--", '%F0%9F%98%80', '%0d%0aX:y'):
            r = ann.request(method, fill(path, value), {} if method != 'GET' else None)
            check(r.status < 500 or r.status == 501, f'{method} {path} {value[:20]}: {r}')
    not_broken(s, before)


@test('nonsense: query strings, at every route')
def _(s):
    before, ann = alive(s), s.user('ann')
    for method, path in routes(s):
        if method != 'GET' or path in NOT_MEANT or path.startswith(('/ws/', '/api/v1/utils/')):
            continue
        for query in ('page=-1', 'page=99999999999999999999', 'page=x&page=y&page', 'skip=-5&limit=-5', 'q=%00', 'query=%ff', '&&==&=&%', 'x=' + 'y' * 7000, 'order_by=id;drop&direction=x'):
            r = ann.get(fill(path, 'nope') + '?' + query)
            check(r.status < 500 or r.status == 501, f'{path}?{query[:30]}: {r}')
    not_broken(s, before)


@test('nonsense: HTTP that is none')
def _(s):
    before = alive(s)
    long = b'X-A: ' + b'a' * 100000 + b'\r\n'
    for request in (b'\0' * 1000, b'GET\r\n\r\n', b'GET / HTTP/9.9\r\n\r\n', b'GET /api/config HTTP/1.1\r\n' + long + b'\r\n', b'\x16\x03\x01' + b'\0' * 500,
                    b'POST /api/v1/auths/signin HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n', b'POST /api/v1/auths/signin HTTP/1.1\r\nHost: x\r\nContent-Length: 5x\r\n\r\nhello',
                    b'POST /api/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
                    b'POST /api/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
                    b'GET /ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n' + os.urandom(3000),
                    b'POST /ws/socket.io/?EIO=4&transport=polling&sid=nope HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n40{',
                    b'GET /api/v1/chats/?' + b'a' * 60000 + b' HTTP/1.1\r\nHost: x\r\n\r\n', b'GET /api/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n',
                    b'POST /api/v1/files/ HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data\r\nContent-Length: 5\r\n\r\nhello'):
        with socket.create_connection(('127.0.0.1', s.port), 5) as c:
            c.settimeout(0.5)
            with contextlib.suppress(OSError):
                c.sendall(request)
                while c.recv(65536):
                    pass
    not_broken(s, before)
    all_is_well(s)


@test('nonsense: half a request, and gone')
def _(s):
    before, token = alive(s), s.user('ann').token.encode()
    body = json.dumps({'model': 'bad-good', 'stream': True, 'messages': [{'role': 'user', 'content': 'x' * 1000}]}).encode()
    for path in (b'/api/chat/completions', b'/api/v1/chats/new'):
        for n in (0, 1, 500, len(body) - 1, len(body)):
            with socket.create_connection(('127.0.0.1', s.port), 5) as c:
                c.sendall(b'POST ' + path + b' HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer ' + token +
                          b'\r\nContent-Length: %d\r\n\r\n' % len(body) + body[:n])
                c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
    time.sleep(0.3)
    not_broken(s, before)
    all_is_well(s)


@test('nonsense: bodies that are too large')
def _(s):
    before = alive(s)
    for path in ('/api/v1/chats/new', '/api/chat/completions'):
        r = s.user('ann').request('POST', path, body=b'{"chat": {"title": "' + b'x' * (70 << 20) + b'"}}', headers={'Content-Type': 'application/json'})
        check(r.status == 413 and 'detail' in r.json(), f'{path}: {r}')
    not_broken(s, before)


@test("nonsense: other people's chats in a question")
def _(s):
    chat, message = new_chat(s.user('bob'))
    with Tab(s.user('ann')) as tab:
        body = {'stream': True, 'model': 'bad-good', 'messages': [{'role': 'user', 'content': 'x'}], 'session_id': tab.io.get_sid(), 'chat_id': chat, 'id': message}
        r = s.user('ann').post('/api/chat/completions', body)
        check(400 <= r.status < 500 and r.json()['detail'], r)
        equal(s.user('bob').get('/api/v1/chats/' + chat).json()['chat']['history']['messages'][message]['content'], '')
        check(400 <= s.user('ann').get('/api/v1/chats/' + chat).status < 500, "bob's chat")
    with Tab(s.user('bob')) as bobs:
        a = bobs.ask('bad-endless').wait_words(2)
        equal(s.user('ann').post('/api/tasks/stop/' + a.tasks()[0], {}).json()['status'], False)
        equal(s.user('bob').post('/api/tasks/stop/' + a.tasks()[0], {}).json()['status'], True)


if __name__ == '__main__':
    with BadProvider() as BAD:
        main({'OPENAI_API_BASE_URL': BAD.url, 'ENABLE_OLLAMA_API': 'false', 'AIOHTTP_CLIENT_TIMEOUT': str(LIMIT_S), 'RAG_OPENAI_API_BASE_URL': BAD.url,
              'BYPASS_MODEL_ACCESS_CONTROL': 'true'})
