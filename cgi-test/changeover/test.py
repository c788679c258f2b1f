#!/usr/bin/env python3
"""A database that the Python backend 0.6.32 left: our server on it answers as that did, people stay signed in, what is changed is stored as
that would store it. And databases that are not for us are refused and left alone.

    cgi-test/changeover/test.py [--database sqlite|postgres] [--only TEXT]
"""
import argparse, contextlib, hashlib, json, os, re, subprocess, sys, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import *
from harness import BUILD, PASSWORD, Missing, Postgres, Stub, frontend, outcome, raise_limits, total

# Answers that are meant to differ: (who, path as an expression, reason). One that does not differ is a failure.
with open(os.path.join(HERE, 'exceptions.tsv'), encoding='utf-8') as f:
    EXCEPTIONS = [tuple(line.rstrip('\n').split('\t')) for line in f if line.strip() and not line.startswith('#')]


class Count:
    passed = failed = 0
    only = ''

    def test(self, label, run):
        if self.only in label:
            ok = outcome(label, run)
            self.passed, self.failed = self.passed + ok, self.failed + (not ok)


# ---------------------------------------------------------------- reading

def compare_answer(sample, server, q):
    status, answer = ask(server.url, sample.token(q['as']), q['method'], q['path'], q.get('body'))
    want = json.loads(json.dumps(q['answer']).replace(STUB_WAS, server.stub.url.split('//')[1]))
    if status == 501:
        return None
    found = [('status', q['status'], status)] if status != q['status'] else differences(comparable(q['path'], want), comparable(q['path'], answer))
    return [f'{path}: want {short(a)}, got {short(b)}' for path, a, b in found]


def read_all(count, sample, server, when):
    """Everything that can be read is as it was. What is not there yet (501) is listed, and counts neither way."""
    not_there, meant = [], {}
    for q in sample.answers:
        label = f'{sample.database}: {when}: {q["as"]} {q["method"]} {q["path"]}' + (f' {q["body"]}' if 'body' in q else '')
        if count.only not in label:
            continue
        found = compare_answer(sample, server, q)
        rule = next((e for e in EXCEPTIONS if e[0] in ('*', q['as']) and re.fullmatch(e[1], q['path'])), None)
        if found is None:
            not_there.append(q['path'])
        elif rule:
            meant[rule] = meant.get(rule, False) or bool(found)
        else:
            count.test(label, lambda: check(not found, '; '.join(found[:4]) + (f' and {len(found) - 4} more' if len(found) > 4 else '')))
    for rule, differs in meant.items():
        count.test(f'{sample.database}: {when}: {rule[0]} {rule[1]} differs as exceptions.tsv says ({rule[2]})',
                lambda: check(differs, 'it does not differ (any more)'))
    if not_there:
        print(f'   {sample.database}: not there yet (501): {len(not_there)} reads, of {", ".join(sorted({"/".join(p.split("?")[0].split("/")[:4]) for p in not_there}))}', flush=True)


# ---------------------------------------------------------------- changing

class Changes:
    """What people do with our server on the old data. Each method is a test; self.touched is what may have changed in the database."""

    def __init__(self, sample, server):
        self.sample, self.server, self.ids = sample, server, sample.people['ids']
        self.touched, self.gone, self.made = set(), set(), {}

    def who(self, name):
        return Client(self.server.url, self.made.get('token-now-' + name) or self.sample.token(name))

    def ok(self, r, status=200):
        equal(r.status, status, r.text()[:300])
        return r.json()

    def all(self):
        return [(n[3:].replace('_', ' '), getattr(self, n)) for n in sorted(dir(self)) if re.match(r't\d_', n)]

    def t1_sign_in_with_the_old_passwords(self):
        for who, password in self.sample.people['passwords'].items():
            made = self.ok(Client(self.server.url).post('/api/v1/auths/signin', {'email': f'{who}@sample.test', 'password': password}))
            equal((made['id'], made['name']), (self.ids[who], self.sample.people['names'][who]))
            equal(Client(self.server.url, made['token']).get('/api/v1/auths/').status, 200)
            self.made['token-' + who] = made['token']
        equal(Client(self.server.url).post('/api/v1/auths/signin', {'email': 'ann@sample.test', 'password': 'b' * 71}).status, 400)

    def t1_the_old_token_as_a_cookie(self):
        r = Client(self.server.url).get('/api/v1/auths/', headers={'Cookie': 'token=' + self.sample.token('ann')})
        equal(self.ok(r)['id'], self.ids['ann'])

    def t1_a_token_with_another_key_is_refused(self):
        head, body, mac = self.sample.token('ann').split('.')
        equal(Client(self.server.url, f'{head}.{body}.{mac[:-4]}{"AAAA" if mac[-4:] != "AAAA" else "BBBB"}').get('/api/v1/auths/').status, 401)

    def ask(self, name, chat_id, model, text):
        """As the frontend does: the question is saved, the model is called, the answer is waited for."""
        who, q, a = self.who(name), f'q-{time.monotonic_ns()}', f'a-{time.monotonic_ns()}'
        chat = self.ok(who.get(f'/api/v1/chats/{chat_id}'))['chat']
        leaf, messages = chat['history'].get('currentId'), chat['history']['messages']
        messages[q] = {'id': q, 'parentId': leaf, 'childrenIds': [a], 'role': 'user', 'content': text, 'timestamp': int(time.time()),
                'models': [model]}
        messages[a] = {'id': a, 'parentId': q, 'childrenIds': [], 'role': 'assistant', 'content': '', 'model': model, 'modelName': model,
                'modelIdx': 0, 'timestamp': int(time.time())}
        if leaf:
            messages[leaf]['childrenIds'].append(q)
        chat['history']['currentId'] = a
        self.ok(who.post(f'/api/v1/chats/{chat_id}', {'chat': chat}))
        self.ok(who.post('/api/chat/completions', {'model': model, 'stream': True, 'messages': [{'role': 'user', 'content': text}],
                'chat_id': chat_id, 'id': a, 'session_id': 'tab-1',
                                                   'background_tasks': {'title_generation': True, 'tags_generation': True,
                                                           'follow_up_generation': True}}))
        end = time.monotonic() + 20
        while time.monotonic() < end:
            chat = self.ok(who.get(f'/api/v1/chats/{chat_id}'))
            if chat['chat']['history']['messages'][a]['content'] and not self.ok(who.get(f'/api/tasks/chat/{chat_id}'))['task_ids']:
                time.sleep(1)       # title, tags, follow-ups
                return self.ok(who.get(f'/api/v1/chats/{chat_id}')), a
            time.sleep(0.1)
        raise AssertionError('no answer within 20 s')

    def t2_an_old_chat_goes_on(self):
        for name in ('plain', 'big', 'branches'):
            before = self.ok(self.who('ann').get(f'/api/v1/chats/{self.ids[name]}'))['chat']
            chat, a = self.ask('ann', self.ids[name], 'stub-small', 'Weiter 🚀?')
            messages = chat['chat']['history']['messages']
            check('word0' in messages[a]['content'], short(messages[a]))
            for id, m in before['history']['messages'].items():
                equal({**messages[id], 'childrenIds': m['childrenIds']}, m, 'an old message changed')
            self.touched.add(('chat', self.ids[name]))

    def t2_a_new_chat_is_answered_and_saved(self):
        id = self.ok(self.who('ann').post('/api/v1/chats/new', {'chat': {'title': 'New Chat', 'models': ['koch'],
                'history': {'messages': {}, 'currentId': None}, 'messages': []}}))['id']
        chat, a = self.ask('ann', id, 'koch', 'Was koche ich? 🍲')
        check('word0' in chat['chat']['history']['messages'][a]['content'], short(chat))
        check(chat['title'] != 'New Chat', 'no title was made')
        self.made['chat'] = id

    def t2_a_chat_by_api_key(self):
        r = self.who('admin-key').post('/api/chat/completions', {'model': 'stub-echo', 'stream': False,
                'messages': [{'role': 'user', 'content': 'echo this'}]})
        check('echo this' in self.ok(r)['choices'][0]['message']['content'], r.text())

    def t3_chats_are_changed(self):
        ann, ids = self.who('ann'), self.ids
        self.ok(ann.post(f'/api/v1/chats/{ids["tagged"]}', {'chat': {'title': 'Neuer Titel ✏️'}}))
        self.ok(ann.post(f'/api/v1/chats/{ids["tagged"]}/tags', {'name': 'Neues Wort'}))
        self.ok(ann.post(f'/api/v1/chats/{ids["tagged"]}/pin'))
        self.ok(ann.post(f'/api/v1/chats/{ids["archived"]}/archive'))
        self.ok(ann.post(f'/api/v1/chats/{ids["old"]}/folder', {'folder_id': ids['sub']}))
        self.made['clone'] = self.ok(ann.post(f'/api/v1/chats/{ids["plain"]}/clone', {'title': 'Klon'}))['id']
        self.made['share'] = self.ok(ann.post(f'/api/v1/chats/{ids["pinned"]}/share'))['id']
        self.ok(self.who('ben').delete(f'/api/v1/chats/{ids["bens"]}'))
        self.touched |= {('chat', ids[n]) for n in ('tagged', 'archived', 'old', 'pinned')}
        self.gone.add(('chat', ids['bens']))
        got = self.ok(ann.get(f'/api/v1/chats/{ids["tagged"]}'))
        equal((got['title'], got['pinned']), ('Neuer Titel ✏️', True))
        equal({t['name'] for t in self.ok(ann.get(f'/api/v1/chats/{ids["tagged"]}/tags'))}, {'Küche', 'two words', '日本', 'Neues Wort'})

    def t3_folders_are_changed(self):
        ann, ids = self.who('ann'), self.ids
        self.made['folder'] = self.ok(ann.post('/api/v1/folders/', {'name': 'Neu 📁', 'data': {'files': []}, 'meta': None}))['id']
        self.ok(ann.post(f'/api/v1/folders/{self.made["folder"]}/update/parent', {'parent_id': ids['work']}))
        self.ok(ann.post(f'/api/v1/folders/{ids["sub"]}/update', {'name': 'Umbenannt', 'data': {'system_prompt': 'Ja.'}}))
        self.touched |= {('folder', ids[n]) for n in ('sub', 'work')}
        equal(self.ok(ann.get(f'/api/v1/folders/{ids["sub"]}'))['name'], 'Umbenannt')

    def t3_prompts_are_changed(self):
        admin = self.who('admin')
        self.ok(admin.post('/api/v1/prompts/create', {'command': '/neu', 'title': 'Neu', 'content': 'ß', 'access_control': {}}))
        self.ok(admin.post('/api/v1/prompts/create', {'command': '/offen', 'title': 'Offen', 'content': '', 'access_control': None}))
        self.ok(admin.post('/api/v1/prompts/command/geheim/update', {'command': '/geheim', 'title': 'Offen', 'content': 'y', 'access_control': None}))
        equal(self.ok(self.who('ben').get('/api/v1/prompts/command/geheim'))['title'], 'Offen')
        self.touched.add(('prompt', self.ok(admin.get('/api/v1/prompts/command/geheim')).get('id', '/geheim')))

    def t3_workspace_models_are_changed(self):
        admin = self.who('admin')
        for form in ({'id': 'neu', 'base_model_id': 'stub-small', 'name': 'Neu', 'meta': {'description': None}, 'params': {'temperature': 0.5},
                'access_control': {}},
                     {'id': 'neu2', 'base_model_id': None, 'name': 'Neu 2', 'meta': {}, 'params': {}, 'access_control': None}):
            self.ok(admin.post('/api/v1/models/create', form))
        form = self.ok(admin.get('/api/v1/models/model?id=nulls'))
        self.ok(admin.post('/api/v1/models/model/update?id=nulls', {**form, 'name': 'Nichts', 'access_control': {}}))
        self.ok(admin.post('/api/v1/models/model/toggle?id=off'))
        self.touched |= {('model', 'nulls'), ('model', 'off')}
        equal(self.ok(admin.get('/api/v1/models/model?id=nulls'))['name'], 'Nichts')

    def t3_people_are_changed(self):
        admin, ann, ids = self.who('admin'), self.who('ann'), self.ids
        self.ok(ann.post('/api/v1/users/user/settings/update', {'ui': {'theme': 'light', 'params': {'top_k': None}}}))
        self.ok(ann.post('/api/v1/auths/update/profile', {'name': 'Ann Neu', 'profile_image_url': '/user.png', 'bio': None, 'gender': None,
                'date_of_birth': '1991-03-01'}))
        made = self.ok(admin.post('/api/v1/auths/add', {'name': 'Cleo', 'email': 'cleo@sample.test', 'password': PASSWORD, 'role': 'user',
                'profile_image_url': '/user.png'}))
        self.made['cleo'], self.made['token-cleo'] = made['id'], made['token']
        self.ok(admin.post(f'/api/v1/users/{ids["pia"]}/update', {'role': 'user', 'name': 'Pia', 'email': 'pia@sample.test',
                'profile_image_url': '/user.png'}))
        self.ok(self.who('ben').post('/api/v1/auths/update/password',
                {'password': self.sample.people['passwords']['ben'], 'new_password': 'neues-Paßwort-1'}))
        equal(self.who('ben').get('/api/v1/auths/').status, 401, 'a token from before the change of password')
        self.made['token-now-ben'] = self.ok(Client(self.server.url).post('/api/v1/auths/signin',
                {'email': 'ben@sample.test', 'password': 'neues-Paßwort-1'}))['token']
        equal(self.ok(ann.get('/api/v1/users/user/settings'))['ui']['theme'], 'light')
        equal(self.ok(self.who('pia').get('/api/v1/chats/')), [])
        self.touched |= {('auth', ids['ben']), ('auth', ids['pia'])}

    def t3_groups_are_changed(self):
        admin, ids = self.who('admin'), self.ids
        self.made['group'] = self.ok(admin.post('/api/v1/groups/create', {'name': 'Neu', 'description': 'x'}))['id']
        self.ok(admin.post(f'/api/v1/groups/id/{ids["group"]}/users/add', {'user_ids': [ids['ben']]}))
        self.touched.add(('group', ids['group']))

    def t3_settings_are_changed(self):
        admin = self.who('admin')
        now = self.ok(admin.get('/api/v1/auths/admin/config'))
        self.ok(admin.post('/api/v1/auths/admin/config', {**now, 'RESPONSE_WATERMARK': 'Neu 🤖', 'ENABLE_SIGNUP': False}))
        self.ok(admin.post('/api/v1/configs/banners', {'banners': []}))
        equal(self.ok(admin.get('/api/v1/auths/admin/config')), {**now, 'RESPONSE_WATERMARK': 'Neu 🤖', 'ENABLE_SIGNUP': False})
        self.touched.add(('config', 1))

    def t3_channels_notes_memories(self):
        """What of it is there; the rest is 501, and stays as it was."""
        ann, ids = self.who('ann'), self.ids
        for name, path, form in (('message', f'/api/v1/channels/{ids["channel"]}/messages/post', {'content': 'Neu 🆕'}),
                ('note', '/api/v1/notes/create', {'title': 'Neu', 'data': {'content': {'md': 'ß'}}}),
                                 ('memory', '/api/v1/memories/add', {'content': 'Neu'}),
                                         ('feedback', '/api/v1/evaluations/feedback', {'type': 'rating', 'data': {'rating': 1}}),
                                 ('knowledge', '/api/v1/knowledge/create', {'name': 'Neu', 'description': 'x'})):
            r = ann.post(path, form)
            if r.status != 501:
                self.made[name] = self.ok(r)['id']
        r = ann.post(f'/api/v1/channels/{ids["channel"]}/messages/{ids["reply"]}/reactions/add', {'name': 'fox'})
        check(r.status in (200, 501), repr(r))


# ---------------------------------------------------------------- the database afterwards

BOOLEAN_IN_SQLITE = {('chat', 'archived'), ('auth', 'active'), ('function', 'is_active'), ('function', 'is_global')}
# What SQLAlchemy's types are read from, where SQLite would store anything. DATETIME of the oldest tables holds Unix time.
STORED = {'INTEGER': {'integer'}, 'BIGINT': {'integer'}, 'BOOLEAN': {'integer'}, 'JSON': {'text'}, 'TEXT': {'text'}, 'DATE': {'text'},
        'VARCHAR': {'text'}, 'DATETIME': {'integer'}}


def same_schema(before, after):
    added = {n for n in after if n not in before}
    check(all(re.fullmatch(r'webui_fcgi_\w+', n) and after[n][0] == 'index' for n in added), f'added: {added}')
    check(added, 'our indexes are not there')
    equal({n: after.get(n) for n in before}, before, 'what was there')


def without_our_indexes(db):
    """The schema when they were taken out, as docs/changing-over.md says; they are put back."""
    ours_ = {n: v for n, v in db.schema().items() if n.startswith('webui_fcgi_')}
    for name in ours_:
        db.run(f'DROP INDEX {name}')
    left = db.schema()
    for _, _, sql in ours_.values():
        db.run(sql)
    return left


def types_as_needed(db):
    if db.kind == 'postgres':
        return
    for table, column, declared, _ in db.columns():
        kind = declared.partition('(')[0]
        allowed = {'text'} if kind == 'DATETIME' and table in ('config', 'migratehistory') else STORED[kind]
        found = db.stored_types(table, column)
        check(found <= allowed, f'{table}.{column} ({declared}) holds {found}')
        if kind == 'BOOLEAN' or (table, column) in BOOLEAN_IN_SQLITE:
            check({r['v'] for r in db.rows(f'SELECT DISTINCT "{column}" AS v FROM "{table}"')} <= {None, 0, 1}, f'{table}.{column}')


def valid_json(db):
    for table, column in json_columns(db):
        for text in db.texts(table, column):
            try:
                json.loads(text, parse_constant=lambda c: 1 / 0)
            except (ValueError, ZeroDivisionError):
                raise AssertionError(f'{table}.{column} is no JSON: {text[:200]!r}') from None


def shape(db, table, column, value):
    """How a value lies there: SQL NULL and the JSON text null are different things to SQLAlchemy."""
    if (table, column) in JSON_OF[db.kind]:
        if value is None:
            return 'NULL'
        value = json.loads(value)
        return 'JSON ' + ('null' if value is None else type(value).__name__)
    return 'NULL' if value is None else type(value).__name__


def new_rows_look_alike(db, before, after):
    """Each column of a row that we made is of a kind that the Python backend's rows have. (PostgreSQL: as text, by a cast.)"""
    strange = set()
    for table, rows in after.items():
        known = {}
        for row in before[table].values():
            for c, v in row.items():
                known.setdefault(c, set()).add(shape(db, table, c, v))
        for key in rows.keys() - before[table].keys():
            strange |= {f'{table}.{c}: {shape(db, table, c, v)}, known: {sorted(known[c])}' for c,
                    v in rows[key].items() if known and shape(db, table, c, v) not in known[c]}
    strange = {s for s in strange if not any(s.startswith(k) for k in ALSO)}
    check(not strange, '; '.join(sorted(strange)))


JSON_OF = {}
# Kinds that the sample's rows do not happen to have, and the Python backend's do have.
ALSO = ('folder.parent_id: str', 'folder.meta: JSON null', 'folder.data: JSON dict', 'chat.pinned: ', 'chat.folder_id: ', 'chat.share_id: ',
        'tag.meta: ', 'knowledge.data: JSON null', 'feedback.meta: JSON null', 'note.access_control: JSON null')


def rows_kept(before, after, changes):
    """Nothing is lost, and only what was changed has changed."""
    for table, rows in before.items():
        lost = {k[0] for k in rows.keys() - after[table].keys()} - {id for t, id in changes.gone if t == table}
        check(not lost, f'{table}: lost {lost}')
        for key, row in rows.items():
            now = after[table].get(key)
            if now and now != row and (table, key[0]) not in changes.touched and table not in ('user', 'config', 'prompt'):
                raise AssertionError(f'{table} {key}: changed: {short({c: (row[c], now[c]) for c in row if row[c] != now[c]}, 400)}')
    for table in ('user', 'prompt'):        # these by their column
        for key, row in before[table].items():
            now = after[table][key]
            changed = {c for c in row if row[c] != now[c]}
            name = next((n for n, i in changes.ids.items() if i == key[0]), None)
            allowed = {'user': {'last_active_at', 'updated_at'} | ({'settings', 'name', 'profile_image_url', 'bio', 'gender', 'date_of_birth'}
                    if name == 'ann' else {'role'} if name == 'pia' else set()),
                       'prompt': {'title', 'content', 'access_control', 'timestamp', 'user_id'} if row.get('command') == '/geheim' else set()}[table]
            check(changed <= allowed, f'{table} {key}: {changed - allowed} changed')


def after_it(count, sample, db, was, changes):
    label = sample.database + ': afterwards: '
    JSON_OF[db.kind] = set(json_columns(db))
    now = text_content(db)
    count.test(label + 'the schema is that of before, with our indexes', lambda: same_schema(was['schema'], db.schema()))
    count.test(label + 'without our indexes the schema is exactly that of before', lambda: equal(without_our_indexes(db), was['schema']))
    count.test(label + 'alembic_version is the same', lambda: equal(db.rows('SELECT * FROM alembic_version'), [{'version_num': REVISION}]))
    count.test(label + 'the database is sound', lambda: equal(db.integrity(), ['ok']))
    count.test(label + 'JSON columns hold JSON', lambda: valid_json(db))
    count.test(label + 'columns hold what SQLAlchemy reads', lambda: types_as_needed(db))
    count.test(label + 'no row is lost, and others are untouched', lambda: rows_kept(was['content'], now, changes))
    count.test(label + 'new rows look like the Python backend\'s', lambda: new_rows_look_alike(db, was['content'], now))


def text_content(db):
    """content(), JSON as the text that is stored."""
    if db.kind == 'sqlite':
        return content(db)
    out, json_of = {}, set(json_columns(db))
    for table in db.tables():
        columns = ', '.join(f'"{c}"::text' if (t, c) in json_of else f'"{c}"' for t, c, _, _ in db.columns() if t == table)
        out[table] = {(r.get('id', r.get('version_num')), r.get('user_id') if table == 'tag' else None): r
                for r in db.rows(f'SELECT {columns} FROM "{table}"')}
    return out


def live(count, sample, stub, postgres):
    was = {}

    def remember(db):
        was.update(schema=db.schema(), content=text_content(db))

    with ours(sample, stub, postgres, change=remember) as server:
        read_all(count, sample, server, 'as before')
        changes = Changes(sample, server)
        for label, run in changes.all():
            count.test(f'{sample.database}: {label}', run)
        count.test(f'{sample.database}: it ends when it is told', server.end)
        after_it(count, sample, server.db, was, changes)


def key_file(count, sample, stub, postgres):
    """The key in a file, as the Python backend's start scripts keep it, instead of in the environment; and our own order of settings."""
    with ours(sample, stub, postgres, {'WEBUI_SECRET_KEY': None, 'CONFIG_PRECEDENCE': None}, key_file=SECRET + '\n') as server:
        for who in ('ann', 'ann-exp', 'ann-key'):
            count.test(f'{sample.database}: key in .webui_secret_key: {who} stays signed in',
                    lambda: equal(Client(server.url, sample.token(who)).get('/api/v1/chats/').status, 200))


# ---------------------------------------------------------------- databases that are not for us

REFUSED = (
    ('an older one', "UPDATE alembic_version SET version_num = '3781e22d8b01'",
            ('Open WebUI 0.5.3 to 0.6.5', '3781e22d8b01', 'start Open WebUI 0.6.32 once on it')),
    ('one of the version before', "UPDATE alembic_version SET version_num = '38d63c18f30f'",
            ('Open WebUI 0.6.27 to 0.6.31', '38d63c18f30f', 'start Open WebUI 0.6.32 once on it')),
    ('a newer one', "UPDATE alembic_version SET version_num = '37f288994c47'", ('Open WebUI 0.6.37 to 0.6.40', '37f288994c47', 'restore a backup')),
    ('a much newer one', "UPDATE alembic_version SET version_num = 'b2c3d4e5f6a7'",
            ('Open WebUI 0.8.1 to 0.8.12', 'b2c3d4e5f6a7', 'restore a backup')),
    ('one that nobody knows', "UPDATE alembic_version SET version_num = 'feedfacecafe'", ('feedfacecafe', 'restore a backup')),
    ('one with two revisions', "INSERT INTO alembic_version VALUES ('38d63c18f30f')", ('38d63c18f30f', 'a5c220713937', 'restore a backup')),
    ('one without a revision', 'DELETE FROM alembic_version', ('no revision', 'start Open WebUI 0.6.32 once on it')),
    ('one whose table of revisions is gone', 'DROP TABLE alembic_version', ('no revision', 'start Open WebUI 0.6.32 once on it')),
    ('one that lacks a table', 'DROP TABLE note', ('note', 'restore a backup')),
    ('one that lacks a column', 'ALTER TABLE folder DROP COLUMN data', ('folder', 'data', 'restore a backup')),
    ('one that has a column renamed', 'ALTER TABLE "user" RENAME COLUMN bio TO about', ('user', 'bio', 'restore a backup')),
)
OURS = ('Open WebUI 0.6.32', 'a5c220713937')


def fingerprint(db):
    """The file's sum and its neighbours, or the dump's."""
    if db.kind == 'sqlite':
        folder = os.path.dirname(db.path)
        with open(db.path, 'rb') as f:
            return hashlib.sha256(f.read()).hexdigest(), sorted(n for n in os.listdir(folder) if n.startswith('webui.db'))
    dump = subprocess.run([tool('pg_dump', '/usr/lib/postgresql/*/bin'), db.url], stdout=subprocess.PIPE, check=True).stdout
    return re.sub(rb'\n\\(un)?restrict \S+', b'', dump)


def run_refused(argv, env, db, words):
    before = fingerprint(db)
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
    said = done.stderr.decode().strip()
    equal(fingerprint(db) == before, True, f'the database is untouched ("{said}")')
    equal(done.returncode, 1, f'status ("{said}")')
    equal(len(said.split('\n')), 1, f'lines: {said}')
    for word in OURS + words:
        check(word in said, f'"{word}" is not in "{said}"')
    equal(done.stdout.decode(), '', 'standard output')


def refusals(count, sample, postgres):
    who = unprivileged('www-data', 'nobody')
    for name, sql, words in REFUSED:
        folder = Folder('webui-over-', who)
        try:
            data = os.path.join(folder.path, 'data')
            os.mkdir(data, 0o700)
            sample.unpack(data)
            db = PostgresDb(sample.restore(postgres)) if postgres else Sqlite(os.path.join(data, 'webui.db'))
            db.run(sql)
            own(data, who)
            env = {**contract_environment('http://127.0.0.1:9'), **{k: v for k,
                    v in os.environ.items() if k in ('PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LD_LIBRARY_PATH')}, **ENV, 'DATA_DIR': data,
                    'HOST': '127.0.0.1',
                   'PORT': str(free_port()), 'WEBUI_FRONTEND_DIR': frontend(folder.path)} | ({'DATABASE_URL': db.url} if postgres else {})
            for command in ('migrate', 'serve'):
                count.test(f'{sample.database}: {name} is refused by webuictl {command}',
                        lambda: run_refused([os.path.join(BUILD, 'webuictl'), command], env, db, words))
        finally:
            folder.remove()


# ---------------------------------------------------------------- all of it

def main():
    options = argparse.ArgumentParser()
    options.add_argument('--database', choices=('sqlite', 'postgres'))
    options.add_argument('--only', default='', help='tests whose label contains this')
    args = options.parse_args()
    raise_limits()
    count = Count()
    count.only = args.only
    for database in [args.database] if args.database else ('sqlite', 'postgres'):
        try:
            with contextlib.ExitStack() as stack:
                sample, stub = Sample(database), stack.enter_context(Stub())
                postgres = stack.enter_context(Postgres()) if database == 'postgres' else None
                live(count, sample, stub, postgres)
                key_file(count, sample, stub, postgres)
                refusals(count, sample, postgres)
        except (Missing, OSError, subprocess.SubprocessError) as e:
            print(f'FAILED {database}: {e}')
            count.failed += 1
    return total(count.passed, count.failed)


if __name__ == '__main__':
    sys.exit(main())
