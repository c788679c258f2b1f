#!/usr/bin/env python3
"""What back.sh runs."""
import contextlib, os, re, subprocess, sys, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import *
from harness import BUILD, LOGS, Postgres, Stub, raise_limits, total
from test import EXCEPTIONS, Changes, Count, after_it, text_content


def ask_all(url, sample, changes):
    """{label: (status, answer)} of every question, by the tokens that count now."""
    out = {}
    for q in sample.answers:
        token = changes.made.get('token-now-' + q['as']) or sample.token(q['as'])
        out[f'{q["as"]} {q["method"]} {q["path"]} {q.get("body", "")}'] = q, *ask(url, token, q['method'], q['path'], q.get('body'))
    return out


def sessions(server, sample, changes):
    """Tokens of ours: everybody signs in."""
    out = {}
    for who in ('admin', 'ann', 'pia'):
        r = Client(server.url).post('/api/v1/auths/signin', {'email': f'{who}@sample.test', 'password': sample.people['passwords'][who]})
        equal(r.status, 200, r.text())
        out[who] = r.json()['token']
    out |= {'ben': changes.made['token-now-ben'], 'cleo': changes.made['token-cleo']}
    return out


def in_order(path, answer):
    """The tests change several things within a second, and what is of one second is in no order."""
    answer = comparable(path, answer)
    if isinstance(answer, list) and all(isinstance(x, dict) and isinstance(x.get('updated_at'), int) for x in answer):
        return sorted(answer, key=lambda x: (-x['updated_at'], str(x.get('id'))))
    return answer


def exactly(mine, url, sample, changes, count):
    """The Python backend's answers on our work are ours. What only ours has not got yet is not compared."""
    theirs, skipped = ask_all(url, sample, changes), 0
    for label, (q, status, answer) in mine.items():
        if status == 501:
            skipped += 1
            continue
        if q['as'] == 'ann-old' or any(e[0] in ('*', q['as']) and re.fullmatch(e[1], q['path']) for e in EXCEPTIONS):
            continue
        _, there, found = theirs[label]
        wrong = [('status', status, there)] if there != status else differences(in_order(q['path'], answer), in_order(q['path'], found))
        count.test(f'{sample.database}: back: {label}', lambda: check(not wrong,
                '; '.join(f'{p}: ours {short(a)}, Python {short(b)}' for p, a, b in wrong[:4])))
    if skipped:
        print(f'   {sample.database}: {skipped} reads were not compared: ours answered 501')


def picture(url, token, path, words, file):
    """The frontend at that path, signed in by a token of ours: the words are shown."""
    os.makedirs(os.path.dirname(file), exist_ok=True)
    done = subprocess.run(['node', os.path.join(HERE, 'back.js'), url, token, path, words, file], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=120)
    check(done.returncode == 0, done.stdout.decode()[-600:])


def there_and_back(count, sample, stub, postgres):
    was = {}
    shots = os.path.join(BUILD, 'shots', f'changeover-{sample.database}')
    with ours(sample, stub, postgres, change=lambda db: was.update(schema=db.schema(), content=text_content(db))) as server:
        changes = Changes(sample, server)
        for label, run in changes.all():
            count.test(f'{sample.database}: there: {label}', run)
        tokens = sessions(server, sample, changes)
        time.sleep(2)
        mine = ask_all(server.url, sample, changes)
        count.test(f'{sample.database}: there: it ends when it is told', server.end)
        after_it(count, sample, server.db, was, changes)
        with Reference(server.data, stub, server.db.url if postgres else None) as python:
            label = f'{sample.database}: back: '
            for who, token in tokens.items():
                count.test(f'{label}{who} stays signed in, by a token of ours',
                        lambda: equal(Client(python.url, token).get('/api/v1/auths/').status, 200))
            for who in ('ann', 'ann-exp', 'ann-key', 'admin'):
                count.test(f'{label}the old token of {who} is as good as ever',
                        lambda: equal(Client(python.url, sample.token(who)).get('/api/v1/auths/').status, 200))
            for who, password in (('ben', 'neues-Paßwort-1'), ('cleo', 'test-Pass-1'), ('ann', sample.people['passwords']['ann'])):
                form = {'email': f'{who}@sample.test', 'password': password}
                count.test(f'{label}{who} signs in', lambda: equal(Client(python.url).post('/api/v1/auths/signin', form).status, 200))
            exactly(mine, python.url, sample, changes, count)
            for id in (changes.made['chat'], changes.made['clone'], sample.people['ids']['plain']):
                count.test(f'{label}chat {id} can be read', lambda: check(Client(python.url,
                        tokens['ann']).get(f'/api/v1/chats/{id}').json()['chat']['history']['messages'], 'no messages'))
            for name, path, words in (('new', '/c/' + changes.made['chat'], 'word0'), ('old', '/c/' + sample.people['ids']['plain'], 'Weiter'),
                    ('big', '/c/' + sample.people['ids']['big'], 'Weiter')):
                count.test(f'{label}{name} chat is shown', lambda: picture(python.url, tokens['ann'], path, words,
                        os.path.join(shots, name + '.png')))
            there = Changes(sample, python)
            there.made = {**changes.made}
            count.test(f'{label}a chat that ours began goes on', lambda: there.ask('ann', changes.made['chat'], 'stub-small', 'Und nun?'))
            count.test(f'{label}alembic_version is the same', lambda: equal(server.db.rows('SELECT * FROM alembic_version'),
                    [{'version_num': REVISION}]))
            chat = Client(python.url, tokens['ann']).get(f'/api/v1/chats/{changes.made["chat"]}').json()
        with open(os.path.join(LOGS, 'reference.log'), encoding='utf-8', errors='replace') as f:
            log = f.read()
        count.test(f'{label}it had nothing to complain about', lambda: check('Traceback' not in log and 'ERROR' not in log,
                log[log.find('Traceback'):][:1500]))
        server.start()
        count.test(f'{sample.database}: there again: the chat is as Python left it',
                lambda: equal(Client(server.url, tokens['ann']).get(f'/api/v1/chats/{chat["id"]}').json(), chat))


def main():
    raise_limits()
    count = Count()
    for database in sys.argv[1:] or ('sqlite', 'postgres'):
        with contextlib.suppress(OSError):
            os.remove(os.path.join(LOGS, 'reference.log'))
        with contextlib.ExitStack() as stack:
            stub = stack.enter_context(Stub())
            there_and_back(count, Sample(database), stub, stack.enter_context(Postgres()) if database == 'postgres' else None)
    return total(count.passed, count.failed)


if __name__ == '__main__':
    sys.exit(main())
