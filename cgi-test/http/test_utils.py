#!/usr/bin/env python3
"""/api/v1/utils: Gravatar, Markdown, formatting and running code, a chat as a PDF, the database as a file."""
import base64, os, re, socket, sqlite3, subprocess, tempfile, threading, time

from harness import *

FORMAT, EXECUTE, MARKDOWN, PDF = (f'/api/v1/utils/{x}' for x in ('code/format', 'code/execute', 'markdown', 'pdf'))
DOWNLOAD, LITELLM = '/api/v1/utils/db/download', '/api/v1/utils/litellm/config'
CHAT = {'title': 'T', 'messages': [{'role': 'user', 'content': 'hello'}]}

four_sides('utils: gravatar', 'GET', '/api/v1/utils/gravatar?email=a@b.c', other_status=None)
four_sides('utils: gravatar of nobody', 'GET', '/api/v1/utils/gravatar', works=422, other_status=None)
four_sides('utils: markdown', 'POST', MARKDOWN, {'md': '*a*'}, wrong={'text': 'a'}, other_status=None)
four_sides('utils: format', 'POST', FORMAT, {'code': 'x=1'}, wrong={'code': 5}, owner='admin')
four_sides('utils: execute without an engine', 'POST', EXECUTE, {'code': '1'}, wrong={}, works=400, other_status=None)
four_sides('utils: pdf', 'POST', PDF, CHAT, wrong={'title': 'T'}, other_status=None)
four_sides('utils: database', 'GET', DOWNLOAD, owner='admin')
four_sides('utils: litellm', 'GET', LITELLM, works=404, owner='admin')


@test('utils: markdown as the Python backend lays it out')
def _(s):
    cases = [
        ('', ''), ('a', '<p>a</p>'), ('# A\n\nb', '<h1>A</h1>\n<p>b</p>'), ('a\n\nb', '<p>a</p>\n<p>b</p>'),
        ('- a\n- b', '<ul>\n<li>a</li>\n<li>b</li>\n</ul>'),
        ('- a\n\n- b', '<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>'),
        ('- a\n- b\n\n- c\n- d', '<ul>\n<li>a</li>\n<li>\n<p>b</p>\n</li>\n<li>\n<p>c</p>\n</li>\n<li>d</li>\n</ul>'),
        ('- a\n    - b\n- c', '<ul>\n<li>a<ul>\n<li>b</li>\n</ul>\n</li>\n<li>c</li>\n</ul>'),
        ('1. a\n2. b', '<ol>\n<li>a</li>\n<li>b</li>\n</ol>'),
        ('- a\n\n1. b', '<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>'),
        ('> a\n> b\n\nc', '<blockquote>\n<p>a\nb</p>\n</blockquote>\n<p>c</p>'),
        ('a `<b>` & "c" <i>d</i>', '<p>a <code>&lt;b&gt;</code> &amp; "c" <i>d</i></p>'),
        ('**a** _b_ ![c "d"](e.png "f") [g](h?i&j)', '<p><strong>a</strong> <em>b</em> <img alt="c &quot;d&quot;" src="e.png" title="f" /> <a href="h?i&amp;j">g</a></p>'),
        ('a  \nb', '<p>a<br />\nb</p>'), ('***', '<hr />'), ('    x <y>\n', '<pre><code>x &lt;y&gt;\n</code></pre>'),
        ('Ärger *ß*', '<p>Ärger <em>ß</em></p>'), ('<div>\nx\n</div>\n\ny', '<div>\nx\n</div>\n<p>y</p>'),
    ]
    for text, want in cases:
        r = s.user('ann').post(MARKDOWN, {'md': text})
        equal((r.status, r.json()), (200, {'html': want}), text)


@test('utils: markdown that nests as deep as it is long')
def _(s):
    start = time.monotonic()
    for text in ('>' * 100000 + 'a', '- ' * 30000 + 'a', '*' * 100000, '[' * 100000, '![' * 50000, '`' * 100000, '    ' * 50000 + 'a', 'a\n' * 100000):
        r = s.user('ann').post(MARKDOWN, {'md': text})
        equal(r.status, 200, text[:10])
    check(time.monotonic() - start < 40, 'it takes too long')
    equal(s.user('ann').post(MARKDOWN, {'md': 'a' * (4 * 1024 * 1024 + 1)}).status, 413)


@test('utils: code is laid out as black does it, and not run')
def _(s):
    admin = s.admin()
    for code, want in (('x = 1\n', 'x = 1\n'), ("def f( a,b ):\n  return {'a':1}", 'def f(a, b):\n    return {"a": 1}\n'), ('', ''), ('ä = "ß"\n', 'ä = "ß"\n')):
        r = admin.post(FORMAT, {'code': code})
        equal((r.status, r.json()), (200, {'code': want}), code)
    r = admin.post(FORMAT, {'code': 'def ('})
    check(r.status == 400 and r.json()['detail'].startswith('Cannot parse'), r)
    mark = os.path.join(s.data, 'was-run')
    equal(admin.post(FORMAT, {'code': f'open({mark!r}, "w")\n'}).status, 200)
    check(not os.path.exists(mark), 'the code was run')


@test('utils: without black the source stays as it is, if it is Python')
def _(s):
    with tempfile.TemporaryDirectory(prefix='webui-bin-', dir='/tmp') as bin:
        os.chmod(bin, 0o755)
        for name in ('sh', 'lighttpd', 'apache2', 'env'):
            for place in ('/usr/bin', '/bin', '/usr/sbin'):
                if os.path.exists(f'{place}/{name}') and not os.path.exists(f'{bin}/{name}'):
                    os.symlink(f'{place}/{name}', f'{bin}/{name}')
        with Server(s.web_server, stub=s.stub, env={'PATH': bin}) as other:
            r = other.admin().post(FORMAT, {'code': 'x=1'})
            equal((r.status, r.json()), (200, {'code': 'x=1'}))
            equal(other.admin().post(FORMAT, {'code': 'def ('}).status, 400)


# ---------------------------------------------------------------- PDF

def text_of(pdf):
    """What pdftotext reads, white space as single spaces."""
    done = subprocess.run([tool('pdftotext'), '-', '-'], input=pdf, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    equal(done.returncode, 0, done.stderr.decode())
    return ' '.join(done.stdout.decode().split())


def pages(pdf):
    done = subprocess.run([tool('pdfinfo'), '-'], input=pdf, stdout=subprocess.PIPE, timeout=60).stdout.decode()
    return int(re.search(r'Pages: +(\d+)', done).group(1))


@test('utils: a chat on paper: title, roles, models, times, every script, all of the text')
def _(s):
    chat = {'title': 'Ein Gespräch', 'messages': [
        {'role': 'user', 'content': 'Grüße: Привет, ελληνικά\nzweite Zeile <b>&amp;', 'timestamp': 1700000000},
        {'role': 'assistant', 'model': 'der-model', 'content': '日本語 中文 한국어 ∑ €', 'timestamp': 1700000001.5},
        {'role': 'user', 'content': [{'type': 'text', 'text': 'ein Teil'}, {'type': 'image_url', 'image_url': {'url': 'x'}}], 'model': 'not-shown'}, {}]}
    r = s.user('ann').post(PDF, chat)
    equal((r.status, r.headers['content-type'], r.headers['content-disposition']), (200, 'application/pdf', 'attachment;filename=chat.pdf'))
    check(r.body.startswith(b'%PDF-') and r.body.rstrip().endswith(b'%%EOF'), r.body[:20])
    text = text_of(r.body)
    for part in ('Ein Gespräch', 'User', 'Assistant', 'der-model', '2023-11-14', 'Grüße: Привет, ελληνικά', 'zweite Zeile <b>&amp;', '日本語 中文 한국어 ∑ €', 'ein Teil'):
        check(part in text, f'{part} is not in: {text}')
    check('not-shown' not in text, 'a person has no model')
    fonts = subprocess.run([tool('pdffonts'), '-'], input=r.body, stdout=subprocess.PIPE).stdout.decode().splitlines()[2:]
    check(fonts and all(line.split()[-5] == 'yes' for line in fonts), f'a font is not embedded: {fonts}')


@test('utils: pages break, and nothing is lost between them')
def _(s):
    words = [f'w{i}x' for i in range(6000)]
    r = s.user('ann').post(PDF, {'title': 'Long', 'messages': [{'role': 'user', 'content': ' '.join(words)}, {'role': 'assistant', 'content': '\n'.join(words[:500])}]})
    equal(r.status, 200)
    check(pages(r.body) > 10, 'it does not break')
    text = text_of(r.body)
    check(all(text.count(w + ' ') or text.endswith(w) for w in words), 'words are missing')
    equal(pages(s.user('ann').post(PDF, {'title': '', 'messages': []}).body), 1)


@test('utils: what is too much for paper costs one request, and no more')
def _(s):
    ann = s.user('ann')
    for content in ('x' * 200_000, '\u202e' * 100_000, 'A\u0301' * 50_000, '\x01\x02\x7f\u2028' * 1000, None, 5, {'a': 1}, ['x'], [{'text': 7}]):
        r = ann.post(PDF, {'title': 'T', 'messages': [{'role': 'user', 'content': content}]}, timeout=120)
        check(r.status in (200, 400), f'{str(content)[:20]}: {r.status}')
    for message in (None, 5, [], 'x', {'role': 5, 'model': 5, 'timestamp': 'x'}, {'timestamp': 1e300}, {'timestamp': -1e300}):
        equal(ann.post(PDF, {'title': 'T', 'messages': [message]}).status, 200, str(message))
    equal(ann.post(PDF, CHAT).status, 200)


# ---------------------------------------------------------------- the database

@test('utils: the database as a file, consistent while others write')
def _(s):
    admin, stop = s.admin(), threading.Event()
    made = []

    def write():
        while not stop.is_set():
            r = admin.post('/api/v1/chats/new', {'chat': {'title': f'c{len(made)}', 'history': {'messages': {}}}})
            if r.status == 200:
                made.append(r.json()['id'])
    writer = threading.Thread(target=write)
    admin.post('/api/v1/chats/new', {'chat': {'title': 'kept', 'history': {'messages': {}}}})
    writer.start()
    try:
        r = admin.get(DOWNLOAD)
    finally:
        stop.set()
        writer.join()
    equal((r.status, r.headers['content-type']), (200, 'application/octet-stream'))
    if r.body.startswith(b'SQLite format 3'):
        equal(r.headers['content-disposition'], 'attachment; filename="webui.db"')
        with tempfile.NamedTemporaryFile(suffix='.db') as f:
            f.write(r.body)
            f.flush()
            db = sqlite3.connect(f.name)
            equal(db.execute('PRAGMA integrity_check').fetchone()[0], 'ok')
            check('kept' in [row[0] for row in db.execute('SELECT title FROM chat')], 'a chat is missing')
            equal(db.execute('SELECT count(*) FROM user').fetchone()[0] >= 1, True)
            db.close()
    else:
        equal(r.headers['content-disposition'], 'attachment; filename="webui.sql"')
        text = r.text()
        check('PostgreSQL database dump complete' in text and 'CREATE TABLE public.chat' in text and '\tkept\t' in text, text[:300])
    check(not [f for f in os.listdir(s.data) if f.startswith('.copy')], 'a copy is left behind')


@test('utils: ENABLE_ADMIN_EXPORT=false keeps the database in')
def _(s):
    with Server(s.web_server, stub=s.stub, env={'ENABLE_ADMIN_EXPORT': 'false'}) as other:
        equal(other.admin().get(DOWNLOAD).status, 401)
        equal(other.admin().get('/api/v1/chats/all/db').status, 401)


@test('utils: a LiteLLM configuration that is there')
def _(s):
    folder = os.path.join(s.data, 'litellm')
    os.makedirs(folder, exist_ok=True)
    with open(folder + '/config.yaml', 'w') as f:
        f.write('model_list: []\n')
    if s.who:
        os.chown(folder, s.who['user'], s.who['group'])
        os.chown(folder + '/config.yaml', s.who['user'], s.who['group'])
    r = s.admin().get(LITELLM)
    equal((r.status, r.body, r.headers['content-disposition']), (200, b'model_list: []\n', 'attachment; filename="config.yaml"'))
    os.unlink(folder + '/config.yaml')
    os.symlink('/etc/hostname', folder + '/config.yaml')
    equal(s.admin().get(LITELLM).status, 404)


if __name__ == '__main__':
    main()
