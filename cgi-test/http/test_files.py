#!/usr/bin/env python3
"""/api/v1/files: uploads and their texts, who sees what, what is served and how, files of strangers that mean harm, and that what was uploaded is read
whatever dies meanwhile."""
import glob, io, json, os, signal, socket, sqlite3, subprocess, sys, threading, time, zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *

F = '/api/v1/files/'
NOW = F + '?process_in_background=false'
EXTRACT = os.path.join(BUILD, 'webui-extract')


def uploaded(r):
    equal(r.status, 200, r.text()[:300])
    return r.json()


def file(s, owner, name='words.txt', content=b'Seven ships left the harbour.', type='text/plain', where=NOW):
    return {'id': uploaded(owner.upload(where, name, content, type))['id']}


def one(who, id):
    r = who.get(F + id)
    equal(r.status, 200, r.text()[:200])
    return r.json()


def until_read(who, id, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        f = one(who, id)
        if f['data'].get('status') != 'pending':
            return f
        time.sleep(0.1)
    raise AssertionError(f'not read within {seconds} s')


def stored(s, id):
    return glob.glob(os.path.join(s.data, 'uploads', id + '_*'))


# ---------------------------------------------------------------- the four sides

four_sides('files: list', 'GET', F, other_status=None)
four_sides('files: list without content', 'GET', F + '?content=maybe', works=422, other_status=None)
four_sides('files: search', 'GET', F + 'search?filename=words*', before=file, other_status=404)
four_sides('files: search for nothing', 'GET', F + 'search', works=422, other_status=None)
four_sides('files: one', 'GET', F + '{id}', before=file, other_status=404)
four_sides('files: none', 'GET', F + 'nobody', works=404, other_status=None)
four_sides('files: text', 'GET', F + '{id}/data/content', before=file, other_status=404)
four_sides('files: new text', 'POST', F + '{id}/data/content/update', {'content': 'x y'}, wrong={'text': 'x'}, before=file, other_status=404)
four_sides('files: bytes', 'GET', F + '{id}/content', before=file, other_status=404)
four_sides('files: bytes, to be saved', 'GET', F + '{id}/content/name.txt', before=file, other_status=404)
four_sides('files: a page of an admin', 'GET', F + '{id}/content/html', before=file, owner='admin', other_status=404)
four_sides('files: a page of a user', 'GET', F + '{id}/content/html', before=file, works=404, other_status=None)
four_sides('files: state', 'GET', F + '{id}/process/status', before=file, other_status=404)
four_sides('files: state, as a stream', 'GET', F + '{id}/process/status?stream=true', before=file, other_status=404)
four_sides('files: state, as what', 'GET', F + '{id}/process/status?stream=x', before=file, works=422, other_status=None)
four_sides('files: delete', 'DELETE', F + '{id}', before=file, other_status=404)


@test('files: upload: not signed in, and no form')
def _(s):
    equal(s.anyone().upload(F, 'a.txt', b'x').status, 401)
    equal(s.user('ann').post(F, {'file': 'x'}).status, 422)
    equal(s.user('ann').upload(F + '?process=perhaps', 'a.txt', b'x').status, 422)
    equal(s.user('ann').upload(F, 'a.txt', b'x', field='other').status, 422)


@test('files: whoever is not their owner sees none of them in lists')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    id = file(s, ann, 'only-ann.txt')['id']
    check(id in [f['id'] for f in ann.get(F).json()])
    check(id not in [f['id'] for f in bob.get(F).json()])
    equal(bob.get(F + 'search?filename=only-ann*').status, 404)
    check(id in [f['id'] for f in s.admin().get(F).json()])
    found = ann.get(F + 'search?filename=ONLY-?nn.[a-z]xt&content=false').json()
    equal([f['id'] for f in found], [id])
    check('content' not in found[0]['data'])


@test('files: a pattern that would be slow is not')
def _(s):
    ann = s.user('ann')
    file(s, ann, 'a' * 200 + '.txt')
    begin = time.monotonic()
    equal(ann.get(F + 'search?filename=' + '*a' * 300 + 'b').status, 404)
    check(time.monotonic() - begin < 2)


# ---------------------------------------------------------------- uploading

@test('files: what is stored lies in uploads, readable by nobody else')
def _(s):
    ann = s.user('ann')
    f = one(ann, file(s, ann, '../../etc/evil.txt', b'x')['id'])
    equal(f['filename'], 'evil.txt')
    equal(f['path'], os.path.join(os.path.realpath(s.data), 'uploads', f['id'] + '_evil.txt'))
    equal(os.stat(f['path']).st_mode & 0o777, 0o600)
    equal(open(f['path'], 'rb').read(), b'x')
    equal([n for n in os.listdir(os.path.join(s.data, 'uploads')) if n.endswith('.part')], [])


@test('files: names that cannot be stored are refused')
def _(s):
    for name in ('a' * 230 + '.txt', 'C:\\x.txt', '..\\x'):
        equal(s.user('ann').upload(NOW, name.replace('\\', '\\\\'), b'x').status, 400, name)


@test('files: the same name twice is two files')
def _(s):
    ann = s.user('ann')
    a, b = file(s, ann, 'same.txt', b'first words')['id'], file(s, ann, 'same.txt', b'second words')['id']
    equal([ann.get(F + i + '/content').text() for i in (a, b)], ['first words', 'second words'])


@test('files: metadata')
def _(s):
    ann = s.user('ann')
    for text, want in (('{"a": 1}', {'a': 1}), ('[1]', [1]), ('null', {}), ('', {}), ('"x"', 'x')):
        equal(uploaded(ann.upload(F + '?process=false', 'a.txt', b'x', metadata=text))['meta']['data'], want)
    equal(ann.upload(F, 'a.txt', b'x', metadata='{bad').status, 400)


@test('files: a disk that is full: 507, and nothing is left behind')
def _(s):
    ann, place = s.user('ann'), os.path.join(s.data, 'uploads')
    file(s, ann)
    owner = os.stat(place)
    done = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size=64k,mode=700,uid={owner.st_uid},gid={owner.st_gid}', 'none', place],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        print(f'   skipped, no file system can be mounted here: {done.stdout.decode().strip()}')
        return
    try:
        before = len(ann.get(F).json())
        r = ann.upload(NOW, 'big.txt', b'x' * 200000)
        equal(r.status, 507, r.text())
        equal(os.listdir(place), [])
        equal(len(ann.get(F).json()), before)
    finally:
        subprocess.run(['umount', place], check=True)
    file(s, ann)


@test('files: 100 MB are taken, more is 413')
def _(s):
    ann = s.user('ann')
    f = uploaded(ann.upload(F + '?process=false', 'big.bin', b'x' * (100 << 20), 'application/octet-stream'))
    equal(f['meta']['size'], 100 << 20)
    equal(ann.delete(F + f['id']).status, 200)
    equal(stored(s, f['id']), [])
    equal(ann.upload(F, 'big.bin', b'x' * (104 << 20), 'application/octet-stream').status, 413)


# ---------------------------------------------------------------- reading in the background

def events(who, id, timeout=30):
    """[(seconds, event)] of the stream."""
    begin = time.monotonic()
    return [(at - begin, json.loads(line[6:])) for at, line in who.lines('GET', f'{F}{id}/process/status?stream=true', timeout=timeout) if line.startswith('data: ')]


@test('files: an upload is answered at once and read afterwards; the stream tells when')
def _(s):
    ann = s.user('ann')
    f = uploaded(ann.upload(F, 'later.txt', b'Read me later.'))
    equal(f['data'], {'status': 'pending'})
    equal(f['status'], True)
    seen = events(ann, f['id'])
    equal(seen[-1][1], {'status': 'completed'})
    check(seen[-1][0] < 10, f'told after {seen[-1][0]:.1f} s')
    f = one(ann, f['id'])
    equal(f['data'], {'status': 'completed', 'content': 'Read me later.'})
    equal(f['meta']['collection_name'], 'file-' + f['id'])


@test('files: thirty at once are all read, and the server answers others meanwhile')
def _(s):
    ann = s.user('ann')
    ids = [uploaded(ann.upload(F, f'many-{n}.txt', f'Words of number {n}.'.encode()))['id'] for n in range(30)]
    begin = time.monotonic()
    equal(s.user('bob').get('/api/v1/chats/').status, 200)
    check(time.monotonic() - begin < 2)
    for n, id in enumerate(ids):
        equal(until_read(ann, id)['data']['content'], f'Words of number {n}.')


@test('files: a picture has no text; its stream ends all the same')
def _(s):
    ann = s.user('ann')
    f = uploaded(ann.upload(F, 'pixel.png', b'\x89PNG\r\n\x1a\n', 'image/png'))
    begin = time.monotonic()
    equal([e for _, e in events(ann, f['id'])], [{'status': 'pending'}])
    check(time.monotonic() - begin < 5)


@test('files: what cannot be read says why')
def _(s):
    ann = s.user('ann')
    f = uploaded(ann.upload(F, 'broken.docx', b'this is no zip', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'))
    seen = events(ann, f['id'])
    equal(seen[-1][1]['status'], 'failed')
    check('zip' in seen[-1][1]['error'], seen[-1])
    for name, part in (('old.doc', 'format'), ('mail.msg', 'format'), ('blob.bin', 'no text')):
        f = one(ann, file(s, ann, name, b'\xd0\xcf\x11\xe0\0\0\1\2\3\4' * 20, 'application/octet-stream')['id'])
        equal(f['data']['status'], 'failed', name)
        check(part in f['data']['error'], f['data'])


def processes(s, word):
    """Processes of this installation whose command line has the word."""
    found = []
    for p in os.listdir('/proc'):
        if p.isdigit():
            try:
                line = open(f'/proc/{p}/cmdline', 'rb').read().replace(b'\0', b' ').decode('utf-8', 'replace')
                if word in line and os.readlink(f'/proc/{p}/cwd').startswith(os.path.realpath(s.data)):
                    found.append(int(p))
            except OSError:
                pass
    return found


@test('files: the sidecar and its workers are killed: what was uploaded is read by the next ones')
def _(s):
    ann = s.user('ann')
    ids = [uploaded(ann.upload(F, f'killed-{n}.txt', (f'Words {n}. ' * 200).encode()))['id'] for n in range(12)]
    for p in processes(s, 'webui-sidecar'):
        os.kill(p, signal.SIGKILL)
    for n, id in enumerate(ids):
        equal(until_read(ann, id, 60)['data']['status'], 'completed', f'file {n}')
    wait_until(lambda: not os.listdir(os.path.join(s.data, 'run', 'jobs')), 10, 'the last job to be over')


@test('files: workers that are killed again and again: read, or failed with a reason, but never pending for ever')
def _(s):
    ann, stop = s.user('ann'), threading.Event()

    def killer():
        while not stop.wait(0.3):
            for p in processes(s, '--worker'):
                try:
                    os.kill(p, signal.SIGKILL)
                except OSError:
                    pass
    t = threading.Thread(target=killer)
    t.start()
    try:
        ids = [uploaded(ann.upload(F, f'again-{n}.txt', f'Words {n}.'.encode()))['id'] for n in range(6)]
        time.sleep(2)
    finally:
        stop.set()
        t.join()
    for id in ids:
        data = until_read(ann, id, 90)['data']
        check(data['status'] == 'completed' or data.get('error'), data)


def add_job(s, step, key, state):
    """As a responder does, over the control socket."""
    body = json.dumps({'step': step, 'key': key, 'state': state}).encode()
    with socket.socket(socket.AF_UNIX) as c:
        c.connect(os.path.join(s.data, 'run', 'control.sock'))
        c.sendall(b'POST /jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n' % len(body) + body)
        return c.makefile('rb').read().split(b'\r\n\r\n', 1)[1]


@test('files: a step that died after it had saved the vectors is done again')
def _(s):
    if 'DATABASE_URL' in s.env:
        return
    ann = s.user('ann')
    f = until_read(ann, uploaded(ann.upload(F, 'again.txt', b'Words to be read twice.'))['id'])
    db = sqlite3.connect(os.path.join(s.data, 'webui.db'), timeout=10)
    db.execute("UPDATE file SET data = '{\"status\": \"pending\"}' WHERE id = ?", (f['id'],))
    db.commit()
    db.close()
    equal(json.loads(add_job(s, 'process_file', f['id'], {'file_id': f['id'], 'user_id': ann.id})), {'status': True})
    equal(until_read(ann, f['id'])['data'], {'status': 'completed', 'content': 'Words to be read twice.'})


@test('files: jobs of what is gone, and of no step, end')
def _(s):
    add_job(s, 'process_file', 'gone', {'file_id': 'gone', 'user_id': 'gone'})
    add_job(s, 'no_such_step', 'x', {})
    add_job(s, 'process_file', 'y', None)
    wait_until(lambda: not os.listdir(os.path.join(s.data, 'run', 'jobs')), 20, 'the jobs to be over')


# ---------------------------------------------------------------- what is served

@test('files: nothing that was uploaded runs in our origin')
def _(s):
    admin = s.admin()
    for name, type, disposition in (('page.html', 'text/html', 'attachment'), ('x.svg', 'image/svg+xml', 'attachment'), ('x.js', 'text/javascript', 'attachment'),
                                    ('x.xml', 'text/xml', 'attachment'), ('x.txt', 'text/plain', ''), ('x.pdf', 'text/html', 'inline'), ('y', 'text/html\x01', 'attachment'),
                                    ('z', 'nonsense', 'attachment')):
        id = file(s, admin, name, b'<script>alert(1)</script>', type, F + '?process=false')['id']
        r = admin.get(F + id + '/content')
        equal(r.status, 200)
        equal(r.headers.get('x-content-type-options'), 'nosniff', name)
        equal((r.headers.get('content-disposition') or '').split(';')[0], disposition, name)
        if name == 'x.pdf':
            equal(r.headers['content-type'], 'application/pdf')
        r = admin.get(F + id + '/content/' + name)
        equal(r.headers['content-disposition'].split(';')[0], 'attachment', name)
        equal(r.headers.get('x-content-type-options'), 'nosniff', name)
        r = admin.get(F + id + '/content/html')
        check(r.headers.get('content-security-policy', '').startswith('sandbox') and 'allow-same-origin' not in r.headers['content-security-policy'], r.headers)
        equal(r.headers.get('x-content-type-options'), 'nosniff', name)


@test('files: a name cannot split the header')
def _(s):
    ann = s.user('ann')
    id = uploaded(ann.upload(F + '?process=false', 'a%0d%0aX-Evil: 1;"ü.txt'.replace('"', ''), b'x', 'application/octet-stream'))['id']
    r = ann.get(F + id + '/content')
    check('x-evil' not in r.headers)
    equal(r.headers['content-disposition'], "attachment; filename*=UTF-8''a%250d%250aX-Evil%3A%201%3B%C3%BC.txt")


@test('files: parts of the bytes')
def _(s):
    ann = s.user('ann')
    id = file(s, ann, 'r.txt', b'0123456789')['id']
    r = ann.request('GET', F + id + '/content', headers={'Range': 'bytes=2-4'})
    equal((r.status, r.text(), r.headers['content-range']), (206, '234', 'bytes 2-4/10'))
    equal(ann.request('GET', F + id + '/content', headers={'Range': 'bytes=20-'}).status, 416)


@test('files: bytes come with their length, whatever the web server would like to compress')
def _(s):
    ann = s.user('ann')
    page = b'<p>words</p>' * 500
    id = uploaded(ann.upload(F + '?process=false', 'p.html', page, 'text/html'))['id']
    r = ann.request('GET', F + id + '/content', headers={'Accept-Encoding': 'gzip, br, zstd'})
    equal((r.headers.get('content-length'), r.headers.get('content-encoding'), r.body), (str(len(page)), None, page))


@test('files: a link in uploads is not followed, and a file that is gone is told so')
def _(s):
    ann = s.user('ann')
    id = file(s, ann, 'l.txt', b'x y')['id']
    path = stored(s, id)[0]
    os.remove(path)
    os.symlink('/etc/passwd', path)
    equal(ann.get(F + id + '/content').status, 400)
    equal(ann.get(F + id + '/content/l.txt').status, 404)
    os.remove(path)
    equal(ann.get(F + id + '/content').status, 400)
    equal(ann.delete(F + id).status, 200)


@test('files: deleting takes the bytes with it; deleting all is for administrators')
def _(s):
    ann, admin = s.user('ann'), s.admin()
    id = file(s, ann)['id']
    equal(len(stored(s, id)), 1)
    equal(ann.delete(F + id).json(), {'message': 'File deleted successfully'})
    equal(stored(s, id), [])
    file(s, ann)
    equal(ann.delete(F + 'all').status, 401)
    equal(s.anyone().delete(F + 'all').status, 401)
    equal(admin.delete(F + 'all').json(), {'message': 'All files deleted successfully'})
    equal(admin.get(F).json(), [])
    equal(os.listdir(os.path.join(s.data, 'uploads')), [])
    file(s, ann)


# ---------------------------------------------------------------- formats

def archive(files, compression=zipfile.ZIP_DEFLATED):
    b = io.BytesIO()
    with zipfile.ZipFile(b, 'w', compression) as z:
        for name, content in files.items():
            z.writestr(name, content)
    return b.getvalue()


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
ODT = 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:o="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
BOOK = {'xl/workbook.xml': '<workbook xmlns:r="r"><sheets><sheet name="Ages" sheetId="1" r:id="r1"/></sheets></workbook>',
        'xl/_rels/workbook.xml.rels': '<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>',
        'xl/sharedStrings.xml': '<sst><si><t>name</t></si><si><r><t>A</t></r><r><t>da</t></r></si></sst>',
        'xl/styles.xml': '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
        'xl/worksheets/sheet1.xml': '<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
                                    '<row r="2"><c r="A2" s="1"><v>45000</v></c><c r="B2"><v>36</v></c></row>'
                                    '<row r="3"><c r="A3" s="1" t="n"><v>45000.25</v></c><c r="B3" t="b"><v>1</v></c></row></sheetData></worksheet>'}
SAMPLES = {
    'letter.docx': (archive({'word/document.xml': f'<w:document {W}><w:p><w:r><w:t>Dear</w:t></w:r></w:p><w:p><w:t>Ada &amp; Bob</w:t></w:p></w:document>'}), 'Dear\n\nAda & Bob'),
    'text.odt': (archive({'content.xml': f'<o:document-content {ODT}><text:h>Title</text:h><text:p>one<text:s text:c="2"/>two</text:p></o:document-content>'}), 'Title\n\none  two'),
    'book.epub': (archive({'META-INF/container.xml': '<container><rootfile full-path="O/c.opf"/></container>',
                           'O/c.opf': '<package><manifest><item id="a" href="a.xhtml"/></manifest><spine><itemref idref="a"/></spine></package>',
                           'O/a.xhtml': '<!DOCTYPE html><html><body><h1>One</h1><p>Two  words</p></body></html>'}), 'One\nTwo words'),
    'ages.xlsx': (archive(BOOK), 'name\tAda\n2023-03-15\t36\n2023-03-15 06:00:00\tTRUE'),
    'talk.pptx': (archive({f'ppt/slides/slide{n}.xml': f'<sld {A}><a:p><a:r><a:t>Slide {n}</a:t></a:r></a:p></sld>' for n in (10, 2)}), 'Slide 2 Slide 10'),
    'data.xml': (b'<a><b>one</b> <c>two</c></a>', 'one\n\ntwo'),
    'latin.txt': ('Grüße aus Köln, Straße und Öl für München'.encode('latin-1'), 'Grüße aus Köln, Straße und Öl für München'),
    'table.tsv': (b'a\tb\n1\t2\n', 'a\tb\n1\t2\n'),
    'notes.rst': (b'Title\n=====\n\n* one\n', 'Title\n=====\n\n* one\n'),
}

for name_, (bytes_, want_) in SAMPLES.items():
    def run(s, name=name_, content=bytes_, want=want_):
        f = one(s.user('ann'), file(s, s.user('ann'), name, content, 'application/octet-stream')['id'])
        equal(f['data'].get('content'), want, f['data'])
        equal(f['data']['status'], 'completed', f['data'])
    test(f'files: {name_} is read')(run)


def entity_bomb():
    lines = ['<!DOCTYPE a [<!ENTITY a0 "ha">']
    lines += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)]
    return '\n'.join(lines) + ']><a>&a11;</a>'


HARM = {
    'bomb.docx': archive({'word/document.xml': f'<w:document {W}><w:t>' + 'a' * (150 << 20) + '</w:t></w:document>'}),
    'bomb-slides.pptx': archive({f'ppt/slides/slide{n}.xml': b' ' * (9 << 20) for n in range(1, 20)}),
    'entities.xml': entity_bomb().encode(),
    'entities.docx': archive({'word/document.xml': entity_bomb()}),
    'outside.xml': b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    'outside.odt': archive({'content.xml': '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'}),
    'many.docx': archive({f'f{n}': '' for n in range(21000)}),
    'broken.pdf': b'%PDF-1.4\n' + b'<<' * 100000,
    'deep.xml': b'<a>' * 1000000,
}

for name_, bytes_ in HARM.items():
    def run(s, name=name_, content=bytes_):
        begin = time.monotonic()
        f = one(s.user('ann'), file(s, s.user('ann'), name, content, 'application/octet-stream')['id'])
        equal(f['data']['status'], 'failed', str(f['data'])[:300])
        check(f['data'].get('error'), f['data'])
        check('root:' not in json.dumps(f))
        check(time.monotonic() - begin < 60)
    test(f'files: {name_} does no harm')(run)


@test('files: HTML and PDF of strangers fetch nothing and run nothing')
def _(s):
    ann = s.user('ann')
    f = one(ann, file(s, ann, 'p.html', b'<html><head><base href="file:///etc/"></head><body><iframe src="passwd"></iframe><script>1</script>shown</body></html>', 'text/html')['id'])
    equal(f['data']['content'], 'shown')


@test('webui-extract: refuses what it does not know, and survives an empty input')
def _(s):
    equal(subprocess.run([EXTRACT, 'exe'], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode, 2)
    for kind in ('text', 'csv', 'html', 'xml', 'docx', 'odt', 'epub', 'xlsx', 'pptx', 'pdf'):
        done = subprocess.run([EXTRACT, kind], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        equal(done.returncode, 0, kind)
        json.loads(done.stdout)


main()
