"""What the tests of changing over share: the sample installations and the reference's answers, our server on a copy of one, the Python
backend itself (for those who have it), and a database seen from outside.

A sample is a folder: data.tar.xz (what lay in the Python backend's DATA_DIR: webui.db and uploads/), webui.sql.xz (pg_dump, of the
PostgreSQL sample), answers.json.xz (what was asked and what it answered) and people.json (tokens, passwords, what there is).
"""
import contextlib, json, lzma, os, re, subprocess, sys, tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'http'))
from harness import Client, Folder, Server, Service, answers, check, contract_environment, equal, free_port, tool, unprivileged, wait_until

SECRET = 'changing-over-sample-key-0123456789'
STUB_WAS = '127.0.0.1:9900'         # where the provider was when the sample was made: stored settings name it
REVISION = 'a5c220713937'
# What the server is told in addition to the contract's environment, the same before and after.
ENV = {'WEBUI_SECRET_KEY': SECRET, 'WEBUI_NAME': 'Über-Chat', 'DEFAULT_LOCALE': 'de-DE'}


# ---------------------------------------------------------------- the sample

def sample_folder(database):
    return os.path.join(HERE, 'sample', database)


def load_json(path):
    with (lzma.open if path.endswith('.xz') else open)(path, 'rt', encoding='utf-8') as f:
        return json.load(f)


class Sample:
    def __init__(self, database):
        self.database, self.folder = database, sample_folder(database)
        self.people = load_json(os.path.join(self.folder, 'people.json'))
        self.answers = load_json(os.path.join(self.folder, 'answers.json.xz'))

    def token(self, who):
        """The token that the Python backend gave: admin, ann, ben, pia (pending); ann-exp with an end, ann-key an API key, anon none."""
        return self.people['tokens'].get(who)

    def unpack(self, data):
        """The files of DATA_DIR, webui.db among them if that is the database."""
        with tarfile.open(os.path.join(self.folder, 'data.tar.xz')) as tar:
            tar.extractall(data, filter='data') if hasattr(tarfile, 'data_filter') else tar.extractall(data)

    def restore(self, postgres):
        """A new PostgreSQL database with the sample in it; returns its URL."""
        url = postgres.create()
        with lzma.open(os.path.join(self.folder, 'webui.sql.xz')) as f:
            psql(url, f.read())
        return url


# ---------------------------------------------------------------- databases from outside

def psql(url, script, check_it=True):
    """Runs a script; returns its output: a line a row, fields between tabs."""
    done = subprocess.run([tool('psql', '/usr/lib/postgresql/*/bin'), '-X', '-q', '-A', '-t', '-F', '\t', '-v', 'ON_ERROR_STOP=1', url],
                          input=script if isinstance(script, bytes) else script.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check_it and done.returncode:
        raise AssertionError(f'psql: {done.stderr.decode()[:500]}')
    return done.stdout.decode()


class Sqlite:
    """The file, read by Python's sqlite3: what is in it as stored."""
    kind = 'sqlite'

    def __init__(self, path):
        import sqlite3
        self.path, self.lib = path, sqlite3

    def rows(self, sql):
        with contextlib.closing(self.lib.connect(self.path)) as c:
            c.row_factory = self.lib.Row
            return [dict(r) for r in c.execute(sql)]

    def run(self, sql, *args):
        with contextlib.closing(self.lib.connect(self.path)) as c:
            c.execute(sql, args)
            c.commit()
            c.execute('PRAGMA wal_checkpoint(TRUNCATE)')

    def tables(self):
        return [r['name'] for r in self.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")]

    def schema(self):
        """{name: text} of tables and indexes."""
        return {r['name']: (r['type'], r['tbl_name'], r['sql']) for r in self.rows('SELECT name, type, tbl_name, sql FROM sqlite_master')}

    def columns(self):
        """[(table, column, declared type, may be null)]"""
        out = []
        for table in self.tables():
            out += [(table, r['name'], r['type'].upper(), not r['notnull']) for r in self.rows(f'PRAGMA table_info("{table}")')]
        return out

    def integrity(self):
        return [list(r.values())[0] for r in self.rows('PRAGMA integrity_check')]

    def stored_types(self, table, column):
        """Storage classes in use, e.g. {'integer'}."""
        return {r['t'] for r in self.rows(f'SELECT DISTINCT typeof("{column}") AS t FROM "{table}"')} - {'null'}

    def texts(self, table, column):
        return [r['v'] for r in self.rows(f'SELECT "{column}" AS v FROM "{table}" WHERE "{column}" IS NOT NULL')]

    def where(self):
        return f'sqlite:///{self.path}'


class PostgresDb:
    kind = 'postgres'

    def __init__(self, url):
        self.url = url

    def rows(self, sql):
        text = psql(self.url, f"SELECT coalesce(json_agg(whole_row), '[]') FROM ({sql}) whole_row")
        return json.loads(text)

    def run(self, sql, *args):
        for a in args:
            sql = sql.replace('?', "'" + str(a).replace("'", "''") + "'", 1)
        psql(self.url, sql)

    def tables(self):
        return [r['t'] for r in self.rows("SELECT tablename AS t FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]

    def schema(self):
        out = {r['n']: ('index', r['t'], r['d']) for r in self.rows("SELECT indexname AS n, tablename AS t, indexdef AS d FROM pg_indexes WHERE schemaname = 'public'")}
        for table, column, kind, null in self.columns():
            out[f'{table}.{column}'] = ('column', table, f'{kind} {null}')
        for r in self.rows("SELECT conname AS n, conrelid::regclass::text AS t, pg_get_constraintdef(oid) AS d FROM pg_constraint WHERE connamespace = 'public'::regnamespace"):
            out['constraint ' + r['n']] = ('constraint', r['t'], r['d'])
        return out

    def columns(self):
        return [(r['t'], r['c'], r['d'].upper(), r['n'] == 'YES') for r in self.rows(
            "SELECT table_name AS t, column_name AS c, data_type AS d, is_nullable AS n FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2")]

    def integrity(self):
        return ['ok']

    def stored_types(self, table, column):
        return set()        # PostgreSQL has no others than declared

    def texts(self, table, column):
        return [r['v'] for r in self.rows(f'SELECT "{column}"::text AS v FROM "{table}" WHERE "{column}" IS NOT NULL')]

    def where(self):
        return self.url


# What SQLAlchemy reads as JSON though the column is declared TEXT: its JSONField loads it.
JSON_IN_TEXT = {('user', 'settings'), ('user', 'info'), ('model', 'meta'), ('model', 'params'), ('tool', 'specs'), ('tool', 'meta'),
        ('tool', 'valves'),
                ('function', 'meta'), ('function', 'valves'), ('file', 'meta')}


def json_columns(db):
    return [(t, c) for t, c, kind, _ in db.columns() if kind == 'JSON' or (t, c) in JSON_IN_TEXT]


def keys(db):
    """{table: set of what names its rows}"""
    names = {t: {c for t2, c, _, _ in db.columns() if t2 == t} for t in db.tables()}
    out = {}
    for table, columns in names.items():
        key = 'id' if 'id' in columns else 'version_num' if 'version_num' in columns else None
        if key:
            extra = ', user_id' if table == 'tag' else ''
            out[table] = {tuple(r.values()) for r in db.rows(f'SELECT {key}{extra} FROM "{table}"')}
    return out


def content(db):
    """{table: {key: row}}, to see what changed."""
    out = {}
    for table in db.tables():
        rows = db.rows(f'SELECT * FROM "{table}"')
        out[table] = {(r.get('id', r.get('version_num')), r.get('user_id') if table == 'tag' else None): r for r in rows}
    return out


# ---------------------------------------------------------------- our server, and the Python backend

@contextlib.contextmanager
def ours(sample, stub, postgres=None, env=None, change=None, key_file=None):
    """Our server on a fresh copy of the sample. server.db is its database from outside. change(db) is done to the copy before the start."""
    who = unprivileged('www-data', 'nobody')
    folder = Folder('webui-over-', who)
    try:
        data = os.path.join(folder.path, 'data')
        os.mkdir(data, 0o700)
        sample.unpack(data)
        db = PostgresDb(sample.restore(postgres)) if postgres else Sqlite(os.path.join(data, 'webui.db'))
        move_provider(db, stub)
        if change:
            change(db)
        if key_file:
            with open(os.path.join(data, '.webui_secret_key'), 'w') as f:
                f.write(key_file)
        own(data, who)
        with Server('lighttpd', db.url if postgres else 'sqlite', stub, {**ENV, **(env or {})}, data) as server:
            server.db, server.stub = db, stub
            yield server
    finally:
        folder.remove()


def move_provider(db, stub):
    """Stored connections name the provider: it is on another port today."""
    cast = '::json' if db.kind == 'postgres' else ''
    db.run(f"UPDATE config SET data = replace(CAST(data AS TEXT), ?, ?){cast}", STUB_WAS, stub.url.split('//')[1])


def own(path, who):
    if who:
        for base, folders, files in os.walk(path):
            for name in ['.', *folders, *files]:
                os.chown(os.path.join(base, name), who['user'], who['group'])


class Reference(Service):
    """The Python backend 0.6.32 on a free port, as it is started by hand. $REFERENCE_HOME is a virtual environment that has it."""

    def __init__(self, data, stub, database_url=None, env=None):
        home = os.environ.get('REFERENCE_HOME') or sys.exit('REFERENCE_HOME is to name a virtual environment with open-webui==0.6.32 (PyPI; Python 3.11)')
        self.port, self.data = free_port(), data
        self.url = f'http://127.0.0.1:{self.port}'
        settings = {**contract_environment(stub.url), 'PATH': os.environ['PATH'], 'HOME': data, 'FROM_INIT_PY': 'true', 'DATA_DIR': data,
                'HF_HUB_OFFLINE': '1', 'OFFLINE_MODE': 'true',
                    'ANONYMIZED_TELEMETRY': 'false', 'DO_NOT_TRACK': 'true', 'GLOBAL_LOG_LEVEL': 'WARNING', **ENV, **(env or {})}
        if database_url:
            settings['DATABASE_URL'] = database_url
        self.spawn('reference', [os.path.join(home, 'bin', 'python'), '-m', 'uvicorn', 'open_webui.main:app', '--host', '127.0.0.1', '--port',
                str(self.port),
                                 '--log-level', 'warning', '--no-access-log'], settings, data)
        wait_until(lambda: answers(self.port, '/health'), 180, 'the Python backend', self.process)


# ---------------------------------------------------------------- asking, and comparing

def ask(url, token, method, path, body=None):
    """(status, what was answered): JSON, or text, or the start of a data: URL or a picture as hexadecimal digits."""
    r = Client(url, token).request(method, path, body)
    kind = r.headers.get('content-type', '').partition(';')[0]
    if kind == 'application/json':
        return r.status, r.json()
    try:
        return r.status, r.body.decode()
    except UnicodeDecodeError:
        return r.status, r.body.hex()


# Members that are different at every call, or by what was done before the call.
MOVING = {'last_active_at', 'active_user_ids', 'expires_at'}


# Lists that the Python backend reads from the database in no order.
UNORDERED = re.compile(r'/api/v1/(functions|tools|memories|channels|files|groups)/(export|list|)(\?.*)?|/api/v1/evaluations/feedbacks/.*|/api/v1/models/export')


def comparable(path, answer):
    answer = settled(answer)
    if UNORDERED.fullmatch(path) and isinstance(answer, list):
        answer = sorted(answer, key=lambda x: str(x.get('id')))
    return answer


def settled(value):
    if isinstance(value, dict):
        now = MOVING | {'created'} if value.get('owned_by') == 'ollama' else MOVING
        return {k: None if k in now else settled(v) for k, v in value.items()}
    return [settled(v) for v in value] if isinstance(value, list) else value


def differences(want, got, path=''):
    """[(path, want, got)] of two JSON values; 1 and true, 1 and 1.0 are different."""
    if isinstance(want, dict) and isinstance(got, dict):
        return [d for k in {**want, **got} for d in
                ([(f'{path}.{k}', want.get(k, '(absent)'), got.get(k, '(absent)'))]
                        if (k in want) != (k in got) else differences(want[k], got[k], f'{path}.{k}'))]
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [d for i, (a, b) in enumerate(zip(want, got)) for d in differences(a, b, f'{path}[{i}]')]
    return [] if type(want) is type(got) and want == got else [(path or '.', want, got)]


def short(value, most=150):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else text[:most] + '…'
