#!/usr/bin/env python3
"""/api/v1/utils/code/execute with a real Jupyter server: signing in, what a run prints and shows, what goes wrong, and that kernels end."""
import base64, contextlib, threading, time

from harness import *
from notebook_server import Jupyter
from providers import *

EXECUTE, SETTINGS = '/api/v1/utils/code/execute', '/api/v1/configs/code_execution'


@contextlib.contextmanager
def engine(s, url, auth='', token='', password='', timeout=20, enable=True, name='jupyter'):
    """Code is run there for a while."""
    admin = s.admin()
    before = admin.get(SETTINGS).json()
    try:
        r = admin.post(SETTINGS, {**before, 'ENABLE_CODE_EXECUTION': enable, 'CODE_EXECUTION_ENGINE': name, 'CODE_EXECUTION_JUPYTER_URL': url,
                                  'CODE_EXECUTION_JUPYTER_AUTH': auth, 'CODE_EXECUTION_JUPYTER_AUTH_TOKEN': token,
                                  'CODE_EXECUTION_JUPYTER_AUTH_PASSWORD': password, 'CODE_EXECUTION_JUPYTER_TIMEOUT': timeout})
        equal(r.status, 200, r.text())
        yield
    finally:
        admin.post(SETTINGS, before)


def run(s, code, **more):
    r = s.user('ann').post(EXECUTE, {'code': code}, timeout=120, **more)
    equal(r.status, 200, r.text())
    return r.json()


@test('code: what a run prints, says and shows')
def _(s):
    with Jupyter(token='secret-token') as j, engine(s, j.url + '/', 'token', 'secret-token'):
        equal(run(s, 'print(6 * 7)'), {'stdout': '42', 'stderr': '', 'result': ''})
        equal(run(s, '"Ärger " + str(1)'), {'stdout': '', 'stderr': '', 'result': "'Ärger 1'"})
        equal(run(s, 'import sys\nprint("a")\nprint("b", file=sys.stderr)\n3'), {'stdout': 'a', 'stderr': 'b', 'result': '3'})
        png = base64.b64encode(b'\x89PNG\r\n\x1a\n' + bytes(40)).decode()
        shown = run(s, f'from IPython.display import display\ndisplay({{"image/png": "{png}", "text/plain": "no"}}, raw=True)\ndisplay(7)')
        equal(shown['result'], f'data:image/png;base64,{png}\n7')
        failed = run(s, 'print("before")\n1 / 0')
        check(failed['stdout'] == 'before' and 'ZeroDivisionError' in failed['stderr'] and not failed['result'], failed)
        failed = run(s, 'input("name")')
        check('StdinNotImplementedError' in failed['stderr'], failed)
        equal(run(s, ''), {'stdout': '', 'stderr': '', 'result': ''})
        equal(run(s, 'for i in range(20000): print(i)')['stdout'].split('\n')[-1], '19999')
        equal(j.kernels(), [], 'kernels are left')


@test('code: each run has a kernel of its own')
def _(s):
    with Jupyter(token='t') as j, engine(s, j.url, 'token', 't'):
        run(s, 'mine = 1')
        check('NameError' in run(s, 'mine')['stderr'], 'a run sees another one')


@test('code: a run that takes too long, or prints too much, is ended')
def _(s):
    with Jupyter(token='t') as j, engine(s, j.url, 'token', 't', timeout=3):
        start = time.monotonic()
        out = run(s, 'import time\nprint("on it", flush=True)\nwhile True: time.sleep(0.1); print(".", end="", flush=True)')
        check(out['stderr'] == 'Execution timed out.' and out['stdout'].startswith('on it'), out)
        check(time.monotonic() - start < 30, 'it goes on')
        equal(j.kernels(), [])
    with Jupyter(token='t') as j, engine(s, j.url, 'token', 't', timeout=60):
        out = run(s, 'print("x" * 20_000_000)')
        check('larger than' in out['stderr'] and len(out['stdout']) <= 8 * 1024 * 1024, out['stderr'][:200])
        equal(j.kernels(), [])


@test('code: signing in with a password')
def _(s):
    with Jupyter(password='pass word & more') as j:
        with engine(s, j.url, 'password', password='pass word & more'):
            equal(run(s, 'print(1)'), {'stdout': '1', 'stderr': '', 'result': ''})
        with engine(s, j.url, 'password', password='wrong'):
            out = run(s, 'print(1)')
            check(out['stderr'].startswith('Error: ') and not out['stdout'], out)
        with engine(s, j.url, 'password', token='not-used'):
            check(run(s, 'print(1)')['stderr'].startswith('Error: '), 'nobody had to sign in')


@test('code: a wrong token, a server that is away, one that is none')
def _(s):
    with Jupyter(token='right') as j, engine(s, j.url, 'token', 'wrong'):
        equal(run(s, 'print(1)'), {'stdout': '', 'stderr': 'Error: the Jupyter server answered with status 403', 'result': ''})
        equal(j.kernels(), [])
    for url in ('http://127.0.0.1:9', '', 'ftp://127.0.0.1', 'nonsense'):
        with engine(s, url, 'token', 'right'):
            check(run(s, 'print(1)')['stderr'].startswith('Error: '), url)
    answers = {'POST /api/kernels': (201, JSON, '{"id": "../../x y"}'), 'DELETE /api/kernels/..%2F..%2Fx%20y': (204, JSON, '')}
    with Fake(answers) as f, engine(s, f.url, 'token', 'right'):
        out = run(s, 'print(1)')
        equal(out['stderr'], 'Error: no WebSocket: status 404')
        equal([p for _, p, _, _ in f.seen], ['/api/kernels', '/api/kernels/..%2F..%2Fx%20y/channels', '/api/kernels/..%2F..%2Fx%20y'])
        check('right' not in ''.join(p for _, p, _, _ in f.seen), 'the token is in an address')
    with Fake({'POST /api/kernels': (200, JSON, '[1]')}) as f, engine(s, f.url):
        equal(run(s, '1')['stderr'], 'Error: the Jupyter server started no kernel')


@test('code: ENABLE_CODE_EXECUTION=false closes the door')
def _(s):
    with Fake({}) as f, engine(s, f.url, enable=False):
        for who in (s.user('ann'), s.admin()):
            equal(who.post(EXECUTE, {'code': 'print(1)'}).status, 403)
        equal(f.seen, [])
    with Fake({}) as f, engine(s, f.url, name='pyodide'):
        equal(s.user('ann').post(EXECUTE, {'code': 'print(1)'}).json(), {'detail': 'Code execution engine not supported'})
        equal(f.seen, [])


@test('code: many at once wait for their turn, and others for none of them')
def _(s):
    with Jupyter(token='t') as j, engine(s, j.url, 'token', 't'):
        out = []
        runs = [threading.Thread(target=lambda: out.append(run(s, 'import time; time.sleep(2); print(1)')['stdout'])) for _ in range(6)]
        for r in runs:
            r.start()
        time.sleep(1)
        for _ in range(5):
            start = time.monotonic()
            equal(s.user('ann').get('/openai/models').status, 200)
            check(time.monotonic() - start < 3, 'others have to wait')
        for r in runs:
            r.join()
        equal(out, ['1'] * 6)


if __name__ == '__main__':
    main()
