#!/usr/bin/env python3
"""webuictl import: exports of ChatGPT, Claude and Open WebUI, as files and in archives; twice; broken; large."""
import io, pty, zipfile

from harness import *


def node(id, parent, role, text, **more):
    return {'id': id, 'parent': parent, 'children': [], 'message': {'id': id, 'author': {'role': role}, 'recipient': 'all', 'create_time': 1700000000,
            'content': {'content_type': 'text', 'parts': [text]}, 'metadata': {'model_slug': 'gpt-4o'}, **more}}


def chatgpt(n, text='The moon.', **more):
    nodes = [{'id': 'root', 'parent': None, 'message': None}, node('u', 'root', 'user', f'Question {n}'), node('a', 'u', 'assistant', text), node('b', 'u', 'assistant', 'Or the sun.')]
    return {'title': f'Tides {n}', 'create_time': 1700000000 + n, 'update_time': 1700000100 + n, 'conversation_id': f'c-{n}', 'current_node': 'b',
            'mapping': {x['id']: x for x in nodes}, **more}


CLAUDE = [{'uuid': 'k-1', 'name': 'Claude chat', 'created_at': '2025-01-02T03:04:05Z', 'updated_at': '2025-01-02T03:04:05Z', 'chat_messages': [
    {'uuid': '1', 'sender': 'human', 'text': 'Hi', 'attachments': [{'file_name': 'x'}]}, {'uuid': '2', 'sender': 'assistant', 'text': 'Hello'}]},
    {'uuid': 'k-2', 'name': 'Empty', 'chat_messages': []}]


def write(s, name, content):
    path = os.path.join(s.folder.path, name)
    with open(path, 'wb') as f:
        f.write(content if isinstance(content, bytes) else json.dumps(content).encode())
    os.chmod(path, 0o644)
    os.chmod(s.folder.path, 0o755)
    return path


def run(s, kind, path, name='ann', ok=True):
    out = s.ctl('import', kind, path, '--user', f'{name}@test.test', check=ok)
    return out


def chats(who):
    return who.get('/api/v1/chats/all').json()


@test('import: chatgpt, with branches, and once only')
def _(s):
    ann = s.user('ann')
    path = write(s, 'conversations.json', [chatgpt(i) for i in range(250)] + [{'title': 'x'}, chatgpt(900, mapping={})])
    out = run(s, 'chatgpt', path)
    check('252 conversations read: 250 imported, 0 already there, 2 left out' in out, out)
    check('1 not a conversation of ChatGPT' in out and '1 without messages' in out and '750 messages' in out, out)
    check('250 already there' in run(s, 'chatgpt', path))
    found = [c for c in chats(ann) if c['title'] == 'Tides 7']
    equal(len(found), 1)
    chat = ann.get('/api/v1/chats/' + found[0]['id']).json()
    history = chat['chat']['history']
    equal((history['messages']['u']['childrenIds'], history['currentId'], chat['created_at'], chat['updated_at']), (['a', 'b'], 'b', 1700000007, 1700000107))
    equal([m['content'] for m in chat['chat']['messages']], ['Question 7', 'Or the sun.'])
    equal(history['messages']['a']['model'], 'gpt-4o')
    check('0 already there' in run(s, 'chatgpt', path, s.user('bob') and 'bob'), 'another person has his own')
    r = ann.get('/api/v1/chats/search?text=question')
    check(r.status == 200 and len(r.json()) > 0)


@test('import: claude, out of an archive')
def _(s):
    s.user('cat')
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr('data/users.json', '[{"uuid":"u"}]')
        z.writestr('data/conversations.json', json.dumps(CLAUDE))
    out = run(s, 'claude', write(s, 'claude.zip', buffer.getvalue()), 'cat')
    check('2 conversations read: 1 imported, 0 already there, 1 left out' in out and '1 attached files' in out, out)
    chat = s.user('cat').get('/api/v1/chats/' + chats(s.user('cat'))[0]['id']).json()
    equal((chat['title'], [m['content'] for m in chat['chat']['messages']], chat['created_at']), ('Claude chat', ['Hi', 'Hello'], 1735787045))


@test('import: openwebui, from one user to another')
def _(s):
    dan, eve = s.user('dan'), s.user('eve')
    made = dan.post('/api/v1/chats/import', {'chat': {'title': 'Mine', 'history': {'messages': {'m': {'id': 'm', 'parentId': None, 'childrenIds': [], 'role': 'user', 'content': 'x'}},
                                                                                  'currentId': 'm'}}, 'meta': {'tags': ['deep_sea']}, 'pinned': True})
    equal(made.status, 200, made.text())
    path = write(s, 'export.json', chats(dan))
    check('1 imported' in run(s, 'openwebui', path, 'eve'))
    check('0 imported, 1 already there' in run(s, 'openwebui', path, 'eve'))
    mine = chats(eve)
    equal([(c['title'], c['user_id'], c['pinned'], c['meta']) for c in mine], [('Mine', eve.id, True, {'tags': ['deep_sea']})])
    equal([t['id'] for t in eve.get('/api/v1/chats/all/tags').json()], ['deep_sea'])
    equal(mine[0]['chat'], chats(dan)[0]['chat'])
    check(mine[0]['id'] != chats(dan)[0]['id'])


@test('import: wrong')
def _(s):
    s.user('fay')
    for content, want in [(b'', 'nothing in the file'), (b'<html>', 'not a JSON array'), (b'[1]', 'not a JSON array'), (b'PK\3\4 broken', ''), (b'[{"mapping":{}}', 'cut off')]:
        out = run(s, 'chatgpt', write(s, 'bad.json', content), 'fay', ok=False)
        check(want in out and 'webuictl:' in out, out)
    whole = json.dumps([chatgpt(1), chatgpt(2)]).encode()
    out = run(s, 'chatgpt', write(s, 'cut.json', whole[:-20]), 'fay', ok=False)
    check('1 imported' in out and 'cut off' in out, out)
    out = run(s, 'chatgpt', write(s, 'mended.json', whole), 'fay')
    check('1 imported, 1 already there' in out, out)
    check('nobody has the address' in run(s, 'chatgpt', write(s, 'x.json', b'[]'), 'nobody', ok=False))
    check('No such file' in run(s, 'chatgpt', '/nonexistent.json', 'fay', ok=False))
    check('is no file' in run(s, 'chatgpt', s.folder.path, 'fay', ok=False))
    for args in ([], ['chatgpt'], ['mail', 'x', '--user', 'y'], ['chatgpt', 'x'], ['chatgpt', 'x', 'y', '--user', 'z'], ['chatgpt', 'x', '--user']):
        check('usage' in s.ctl('import', *args, check=False) or 'webuictl import chatgpt' in s.ctl('import', *args, check=False), args)


@test('import: texts that a database does not take')
def _(s):
    gil = s.user('gil')
    odd = chatgpt(1, text='a\0b \ud800 \U0001f600')
    check('1 imported' in run(s, 'chatgpt', write(s, 'odd.json', [odd | {'title': 'T\0i'}]), 'gil'))
    chat = gil.get('/api/v1/chats/' + chats(gil)[0]['id']).json()
    equal((chat['title'], chat['chat']['history']['messages']['a']['content']), ('Ti', 'ab \ufffd \U0001f600'))


@test('import: progress on a terminal, and nowhere else')
def _(s):
    s.user('ida')
    path = write(s, 'progress.json', [chatgpt(i) for i in range(50)])
    ours, theirs = pty.openpty()
    done = subprocess.run([s.program, 'import', 'chatgpt', path, '--user', 'ida@test.test'], env=s.env, cwd=s.data, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, **s.who)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    equal(done.returncode, 0)
    check('[##############################] 100 %  50 conversations' in shown, shown)
    check('#' not in done.stdout.decode() and '50 imported' in done.stdout.decode())


@test('import: 200 MB in little memory')
def _(s):
    s.user('hal')
    path = os.path.join(s.folder.path, 'large.json')
    one = json.dumps(chatgpt(0, text='x' * 100000))[:-1]
    with open(path, 'w') as f:
        for i in range(2000):
            f.write(('[' if i == 0 else ',') + one.replace('"c-0"', f'"big-{i}"') + '}')
        f.write(']')
    os.chmod(path, 0o644)
    done = subprocess.Popen([s.program, 'import', 'chatgpt', path, '--user', 'hal@test.test'], env=s.env, cwd=s.data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **s.who)
    out = done.stdout.read().decode()
    _, status, usage = os.wait4(done.pid, 0)
    os.unlink(path)
    check(status == 0 and '2000 imported' in out, out)
    if not os.environ.get('SANITIZE'):
        check(usage.ru_maxrss < 120 * 1024, f'{usage.ru_maxrss} KiB')


if __name__ == '__main__':
    main()
