"""Very many rows, written straight into the database of a server that runs: users, and chats of one of them."""

import json, os, random, sqlite3, subprocess, uuid

WORDS = 5000
TAGS = ['work', 'home', 'garden', 'travel', 'cooking', 'music', 'maths', 'poems']
FOLDERS = 20
NEW_YEAR = 1704067200  # of 2024: the first chat


class Writer:
    """Rows into tables: one transaction, committed by close()."""

    def __init__(self, fleet, server):
        self.sqlite = self.psql = None
        if fleet.postgres:
            url = f'postgresql://bench@127.0.0.1:{fleet.postgres.port}/{server.database}'
            self.psql = subprocess.Popen(
                [fleet.postgres.program('psql'), '-qAt', '-v', 'ON_ERROR_STOP=1', url], stdin=subprocess.PIPE, text=True
            )
            self.psql.stdin.write('BEGIN;\n')
        else:
            self.sqlite = sqlite3.connect(os.path.join(fleet.scratch, 'ours-lighttpd', 'webui.db'), timeout=30)

    def rows(self, table, columns, rows):
        names = ', '.join(columns)
        if self.sqlite:
            marks = ', '.join('?' * len(columns))
            self.sqlite.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)
            return
        self.psql.stdin.write(f'COPY "{table}" ({names}) FROM STDIN;\n')
        for row in rows:
            self.psql.stdin.write('\t'.join(map(copied, row)) + '\n')
        self.psql.stdin.write('\\.\n')

    def close(self):
        if self.sqlite:
            self.sqlite.commit()
            self.sqlite.execute('ANALYZE')
            self.sqlite.commit()
            self.sqlite.close()
            return
        self.psql.stdin.write('COMMIT;\nVACUUM ANALYZE;\n')
        self.psql.stdin.close()
        if self.psql.wait():
            raise SystemExit('the rows could not be written')


def copied(value):
    """A value as COPY's text format has it."""
    if value is None:
        return '\\N'
    if isinstance(value, bool):
        return 't' if value else 'f'
    return str(value).replace('\\', '\\\\').replace('\t', '\\t').replace('\n', '\\n').replace('\r', '\\r')


def uid(kind, i):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f'bench/{kind}/{i}'))


class Text:
    """Words that come as often as in prose: few are common, most are rare."""

    def __init__(self):
        self.random = random.Random(5)
        syllables = [c + v for c in 'bdfgklmnprstvw' for v in 'aeiou']
        self.words = [''.join(self.random.choices(syllables, k=self.random.randint(1, 4))) for _ in range(WORDS)]
        self.weights = [1 / (i + 1) for i in range(WORDS)]
        self.stock = self.random.choices(self.words, self.weights, k=200_000)

    def prose(self, n):
        at = self.random.randrange(len(self.stock) - n)
        return ' '.join(self.stock[at : at + n])


def chat_row(i, user_id, text, needle):
    title, begin = f'{text.prose(4)} {i}', NEW_YEAR + 60 * i
    ids = [uid(f'message/{i}', k) for k in range(4)]
    messages = {
        m: {
            'id': m,
            'parentId': ids[k - 1] if k else None,
            'childrenIds': ids[k + 1 : k + 2],
            'role': 'assistant' if k % 2 else 'user',
            'content': text.prose(60 if k % 2 else 20) + (f' {needle}' if needle and k == 3 else ''),
            'timestamp': begin + k,
        }
        for k, m in enumerate(ids)
    }
    chat = {
        'title': title,
        'models': ['stub-small'],
        'history': {'messages': messages, 'currentId': ids[-1]},
        'messages': list(messages.values()),
        'tags': [],
        'timestamp': begin * 1000,
    }
    meta = {'tags': [TAGS[i % len(TAGS)]]} if i % 3 == 0 else {}
    folder = uid('folder', i % FOLDERS) if i % 10 == 0 else None
    return (
        uid('chat', i),
        user_id,
        title,
        json.dumps(chat),
        json.dumps(meta),
        begin,
        begin + 5,
        i % 50 == 7,
        i % 2000 == 3,
        folder,
    )


def write(fleet, server, user_id, n_chats, n_users):
    """Returns words to look for: {what they are: word}."""
    text, out = Text(), Writer(fleet, server)
    out.rows(
        'user',
        ('id', 'name', 'email', 'role', 'profile_image_url', 'last_active_at', 'updated_at', 'created_at'),
        (
            (
                uid('user', i),
                f'{text.prose(1).title()} Number{i}',
                f'number{i}@example.com',
                'user' if i % 20 else 'pending',
                '/user.png',
                *[NEW_YEAR + i] * 3,
            )
            for i in range(n_users)
        ),
    )
    out.rows(
        'auth',
        ('id', 'email', 'password', 'active'),
        ((uid('user', i), f'number{i}@example.com', '!', True) for i in range(n_users)),
    )
    out.rows(
        'folder',
        ('id', 'user_id', 'name', 'is_expanded', 'created_at', 'updated_at'),
        ((uid('folder', i), user_id, f'Folder {i}', False, NEW_YEAR, NEW_YEAR) for i in range(FOLDERS)),
    )
    out.rows('tag', ('id', 'name', 'user_id'), ((t, t, user_id) for t in TAGS))
    out.rows(
        'chat',
        ('id', 'user_id', 'title', 'chat', 'meta', 'created_at', 'updated_at', 'archived', 'pinned', 'folder_id'),
        (
            chat_row(i, user_id, text, 'haystackneedle' if i == n_chats // 3 else '')
            for i in range(n_chats)
        ),
    )
    out.close()
    return {'common': text.words[0] + ' ' + text.words[1], 'rare': next(w for w in text.words[WORDS * 3 // 4 :] if len(w) >= 6), 'once': 'haystackneedle'}
