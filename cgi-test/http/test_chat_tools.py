#!/usr/bin/env python3
"""Tools in a chat: OpenAPI and MCP servers, tools of the browser, both ways of calling them; who may; servers that have bad days; what is stopped."""
import contextlib, html, json, os, re, signal, sys, threading, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import check, equal, four_sides, main, test
from tabs import Tab
from tool_world import Browser, ToolWorld, connection, details, servers

WORLD = ToolWorld()
LIMIT_S = 4         # AIOHTTP_CLIENT_TIMEOUT
ENV = {'OPENAI_API_BASE_URLS': WORLD.url + '/v1', 'OPENAI_API_BASE_URL': None, 'OPENAI_API_KEYS': 'k', 'ENABLE_OLLAMA_API': 'false',
       'BYPASS_MODEL_ACCESS_CONTROL': 'true', 'AIOHTTP_CLIENT_TIMEOUT': str(LIMIT_S), 'AIOHTTP_CLIENT_TIMEOUT_TOOL_SERVER_DATA': '2',
       'CHAT_RESPONSE_MAX_TOOL_CALL_RETRIES': '3', 'CODE_INTERPRETER_BLOCKED_MODULES': 'os,sys'}
NATIVE = {'params': {'function_calling': 'native'}}


def world(*more):
    return connection('world', WORLD.url + '/tools', **dict(more))


def ask(tab, prompt, tools=('server:world',), **more):
    return tab.ask('calls', prompt, tool_ids=list(tools), **more)


# ---------------------------------------------------------------- OpenAPI, native

@test('native: a call, its result, and the answer, shown and saved')
def _(s):
    with servers(s, world()), Tab(s.user('ann')) as tab:
        a = ask(tab, 'call weather {"city": "Oslo"}', **NATIVE).wait()
        (name, done, arguments, result, files, embeds), = details(a.content)
        equal((name, done, json.loads(arguments)), ('weather', 'true', {'city': 'Oslo'}))
        equal(json.loads(result), {'city': 'Oslo', 'weather': 'sunny'})
        check(a.content.endswith('got {\n  "city": "Oslo",\n  "weather": "sunny"\n}'), a.content)
        equal(a.saved()['content'], a.content)
        equal(a.tasks(), [])
        asked = WORLD.models_asked()[-2:]
        equal([t['function']['name'] for t in asked[0]['tools']][:2], ['weather', 'hang'])
        equal([m['role'] for m in asked[1]['messages']], ['user', 'assistant', 'tool'])
        equal(asked[1]['messages'][2]['tool_call_id'], 'c0')
        check(asked[1]['tools'] == asked[0]['tools'], 'the tools are offered again')


@test('native: several calls at once, with parameters in path and query')
def _(s):
    with servers(s, world()), Tab(s.user('ann')) as tab:
        a = ask(tab, 'call look {"place": "the sea/x", "far": 3, "unknown": 1}\ncall weather {\'city\': \'Rome\'}', **NATIVE).wait()
        first, second = details(a.content)
        equal(json.loads(first[3]), {'path': '/tools/look/the%20sea%2Fx?far=3'})
        equal(json.loads(second[2]), {'city': 'Rome'}, 'arguments that are no JSON')
        equal(json.loads(second[3])['city'], 'Rome')


@test('native: rounds end at the limit')
def _(s):
    with servers(s, world()), Tab(s.user('ann')) as tab:
        a = ask(tab, 'again\ncall weather {"city": "Oslo"}', **NATIVE).wait(30)
        equal(len(details(a.content)), 3)
        check(a.done and not a.error, a.kinds())


@test('native: a tool that does not exist, arguments that are no object')
def _(s):
    with servers(s, world()), Tab(s.user('ann')) as tab:
        a = ask(tab, 'call nothing {}\ncall weather [1]', **NATIVE).wait()
        first, second = details(a.content)
        equal(first[3], '')
        check('not an object' in second[3], second)


@test('native: an answer that is not streamed calls tools, too')
def _(s):
    with servers(s, world()), Tab(s.user('ann')) as tab:
        a = ask(tab, 'call weather {"city": "Oslo"}', stream=False, **NATIVE).wait()
        equal(len(details(a.content)), 1)
        check('got {' in a.content and a.saved()['content'] == a.content, a.content)


@test('native: a page is embedded, data: URLs are files')
def _(s):
    with servers(s, world()), Tab(s.user('ann')) as tab:
        a = ask(tab, 'call page {"city": "x"}\ncall pictures {"city": "x"}\ncall list {"city": "x"}', **NATIVE).wait()
        page, pictures, numbers = details(a.content)
        equal(page[5], ['<p>hello</p>'])
        check('Embedded UI result' in page[3], page)
        equal([f['type'] for f in pictures[4]], ['data'])
        equal(json.loads(pictures[3]), {'results': ['one']})
        equal(json.loads(numbers[3]), {'results': [1, 2]})


@test('a program without a chat gets the calls of the model as they are')
def _(s):
    with servers(s, world()):
        r = s.user('ann').post('/api/chat/completions', {'model': 'calls', 'messages': [{'role': 'user', 'content': 'call weather {"city": "Oslo"}'}],
                                                         'tool_ids': ['server:world'], **NATIVE})
        equal(r.json()['choices'][0]['message']['tool_calls'][0]['function']['name'], 'weather', r)


# ---------------------------------------------------------------- prompted

@test('prompted: the result is a source, and in the prompt')
def _(s):
    with servers(s, world()), Tab(s.user('ann')) as tab:
        a = ask(tab, 'call weather {"city": "Oslo"}').wait()
        saved = a.saved()
        equal([x['source'] for x in saved['sources']], [{'name': 'server:world/weather'}])
        equal(saved['sources'][0]['metadata'], [{'source': 'server:world/weather', 'parameters': {'city': 'Oslo'}}])
        shown = next(e['data']['sources'] for e in a.events if (e.get('data') or {}).get('sources'))
        equal(shown, saved['sources'])
        text = WORLD.models_asked()[-1]['messages'][-1]['content']
        check('Tool `server:world/weather` Output: {' in text and '<source id="1" name="server:world/weather">' in text, text)
        check('tools' not in WORLD.models_asked()[-1], 'the model is offered none')


@test('prompted: for a program, whole and streamed')
def _(s):
    body = {'model': 'calls', 'messages': [{'role': 'user', 'content': 'call weather {"city": "Oslo"}'}], 'tool_ids': ['server:world']}
    with servers(s, world()):
        r = s.user('ann').post('/api/chat/completions', body)
        equal([x['source']['name'] for x in r.json()['sources']], ['server:world/weather'], r)
        lines = [line for _, line in s.user('ann').lines('POST', '/api/chat/completions', {**body, 'stream': True}) if line]
        equal(json.loads(lines[0][6:])['sources'][0]['tool_result'], True)
        check(lines[-1] == 'data: [DONE]', lines[-1])


@test('prompted: a page and files are shown with the message, and kept')
def _(s):
    with servers(s, world()), Tab(s.user('ann')) as tab:
        a = ask(tab, 'call page {"city": "x"}\ncall pictures {"city": "x"}').wait()
        equal(a.saved()['embeds'], ['<p>hello</p>'])
        equal([f['type'] for f in a.saved()['files']], ['data'])
        check({'files', 'embeds'} <= set(a.kinds()), a.kinds())


@test('prompted: no tool is chosen')
def _(s):
    with servers(s, world()), Tab(s.user('ann')) as tab:
        a = ask(tab, 'just talk').wait()
        equal((a.content, a.saved().get('sources')), ('just talk', None))


# ---------------------------------------------------------------- who may, and what goes along

@test('a server that is not for this user is not used, nor is one that nobody knows')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    only_ann = {'read': {'user_ids': [ann.id], 'group_ids': []}, 'write': {'user_ids': [], 'group_ids': []}}
    with servers(s, connection('world', WORLD.url + '/tools', access=only_ann), connection('rain', WORLD.url + '/mcp/json', 'mcp', access=only_ann)):
        with Tab(bob) as tab:
            before = len(WORLD.asked)
            a = ask(tab, 'call weather {"city": "Oslo"}\ncall rain_rain {"city": "Oslo"}', ('server:world', 'server:mcp:rain', 'server:none'), **NATIVE).wait()
            equal((details(a.content), a.error), ([], ''))
            check(not any(p.startswith(('/tools/weather', '/mcp')) for p, _, _ in WORLD.asked[before:]), 'a server was asked')
        with Tab(ann) as tab:
            equal(len(details(ask(tab, 'call weather {"city": "Oslo"}', **NATIVE).wait().content)), 1)


@test('only the functions that were named are offered')
def _(s):
    with servers(s, world()), Tab(s.user('ann')) as tab:
        ask(tab, 'hello', ('server:world|weather,look',), **NATIVE).wait()
        equal([t['function']['name'] for t in WORLD.models_asked()[-1]['tools']], ['weather', 'look'])


@test('two servers that call a function alike')
def _(s):
    with servers(s, world(), connection('other', WORLD.url + '/tools')), Tab(s.user('ann')) as tab:
        a = ask(tab, 'call weather {"city": "Oslo"}\ncall other_weather {"city": "Rome"}', ('server:world|weather', 'server:other|weather'), **NATIVE).wait()
        equal([json.loads(d[3])['city'] for d in details(a.content)], ['Oslo', 'Rome'])


@test('what a tool server is told of the caller')
def _(s):
    ann = s.user('ann')
    for auth, key, want in (('none', 'k', None), ('bearer', 'secret', 'Bearer secret'), ('session', '', f'Bearer {ann.token}'), ('system_oauth', 'secret', None)):
        with servers(s, connection('world', WORLD.url + '/tools', auth=auth, key=key, headers={'X-Extra': 'e'})), Tab(ann) as tab:
            got = json.loads(details(ask(tab, 'call who {"city": "x"}', **NATIVE).wait().content)[0][3])
            equal(got, {'authorization': want, 'cookie': None, 'extra': 'e'}, auth)


@test('a Python tool is refused in words')
def _(s):
    admin = s.admin()
    r = admin.post('/api/v1/tools/create', {'id': 'py_tool', 'name': 'Py', 'content': 'class Tools:\n    def f(self) -> str:\n        """F."""\n        return ""\n', 'meta': {'description': ''}})
    if r.status == 501:
        return          # tools cannot be made here yet
    equal(r.status, 200, r)
    r = admin.post('/api/chat/completions', {'model': 'calls', 'messages': [{'role': 'user', 'content': 'x'}], 'tool_ids': ['py_tool']})
    check(r.status == 501 and 'py_tool is Python code' in r.json()['detail'], r)


# ---------------------------------------------------------------- the browser's tools

def spec(name):
    return {'type': 'function', 'name': name, 'description': name, 'parameters': {'type': 'object', 'properties': {'city': {'type': 'string'}}}}


def browser_tools(tab, prompt, *names, **more):
    return tab.ask('calls', prompt, tool_servers=[{'url': 'http://only.the.browser', 'specs': [spec(n) for n in names], 'info': {}, 'openapi': {}}], **more)


@test('browser: the tab is asked, and only that tab')
def _(s):
    ann = s.user('ann')
    with Browser(ann) as tab, Tab(ann) as other:
        tab.answers = {'execute:tool': lambda q: [{'from': q['name'], 'city': q['params']['city']}, {'x': 'y'}]}
        a = browser_tools(tab, 'call peek {"city": "Oslo", "more": 1}', 'peek', **NATIVE).wait()
        equal(json.loads(details(a.content)[0][3]), {'from': 'peek', 'city': 'Oslo'})
        check('execute:tool' in a.kinds() and 'execute:tool' not in [e.get('type') for e in other.of(a.id)], 'who was asked')
        a = browser_tools(tab, 'call peek {"city": "Rome"}', 'peek').wait()
        equal(a.saved()['sources'][0]['source'], {'name': 'peek'})
        equal(a.saved()['sources'][0]['document'], ['{\n  "from": "peek",\n  "city": "Rome"\n}'])


@test('browser: a tab that leaves, and a session of somebody else')
def _(s):
    with Tab(s.user('ann')) as tab, Tab(s.user('bob')) as bob:
        a = browser_tools(tab, 'call peek {"city": "Oslo"}', 'peek', session_id=bob.io.get_sid(), **NATIVE)
        a.wait()
        check('did not answer' in details(a.content)[0][3], a.content)
        check('execute:tool' not in [e['data'].get('type') for e in bob.events if e], 'somebody else was asked')
        leaving = Browser(s.user('ann'))
        leaving.answers = {'execute:tool': lambda q: time.sleep(3)}
        a = browser_tools(leaving, 'call peek {"city": "Oslo"}', 'peek', **NATIVE)
        a.until(lambda: 'execute:tool' in a.kinds(), 10)
        leaving.close()
        a.until(lambda: 'got' in a.saved()['content'], 10, 'the end of the answer')
        check('did not answer' in a.saved()['content'], a.saved())


# ---------------------------------------------------------------- the browser's Python

@test('code: the tab runs it, the model goes on; modules are kept out')
def _(s):
    with Browser(s.user('ann')) as tab:
        tab.answers = {'execute:python': {'stdout': '42\n', 'stderr': '', 'result': None}}
        code = '<code_interpreter type="code" lang="python">print(6*7)</code_interpreter>'
        a = tab.ask('calls', 'x', messages=[{'role': 'user', 'content': code}], features={'code_interpreter': True})
        a.wait()
        asked = [e['data']['code'] for e in a.events if e.get('type') == 'execute:python']
        check(asked and asked[0].endswith('print(6*7)') and '["os","sys"]' in asked[0], asked)
        check('<details type="code_interpreter" done="true" output="{&quot;stdout&quot;: &quot;42\\n&quot;' in a.content, a.content)
        equal(len(asked), 5, 'rounds')
        equal(a.saved()['content'], a.content)


@test('code: whoever may not have it run')
def _(s):
    admin = s.admin()
    code = admin.get('/api/v1/configs/code_execution').json()
    body = {'model': 'calls', 'messages': [{'role': 'user', 'content': 'x'}], 'features': {'code_interpreter': True}}
    for change in ({'ENABLE_CODE_EXECUTION': False}, {'ENABLE_CODE_INTERPRETER': False}):
        equal(admin.post('/api/v1/configs/code_execution', {**code, **change}).status, 200)
        equal(s.user('ann').post('/api/chat/completions', body).status, 403, change)
    admin.post('/api/v1/configs/code_execution', code)
    permissions = admin.get('/api/v1/users/default/permissions').json()
    changed = json.loads(json.dumps(permissions))
    changed['features']['code_interpreter'] = False
    admin.post('/api/v1/users/default/permissions', changed)
    try:
        equal(s.user('ann').post('/api/chat/completions', body).status, 403, 'without the permission')
        equal(admin.post('/api/chat/completions', body).status, 200, 'an administrator')
    finally:
        admin.post('/api/v1/users/default/permissions', permissions)


# ---------------------------------------------------------------- MCP

def mcp(kind):
    return connection('m', f'{WORLD.url}/mcp/{kind}', 'mcp')


def mcp_call(s, kind, call, seconds=15):
    with servers(s, mcp(kind)), Tab(s.user('ann')) as tab:
        a = ask(tab, f'call {call} {{"city": "Oslo"}}', ('server:mcp:m',), **NATIVE).wait(seconds)
        equal(a.saved()['content'], a.content)
        return details(a.content)[0]


for kind in ('json', 'events', 'resume', 'session'):
    @test(f'MCP: a call ({kind})')
    def _(s, kind=kind):
        ended = len(WORLD.sessions_ended)
        equal(mcp_call(s, kind, 'm_rain')[3], 'Rain in Oslo.')
        if kind in ('events', 'session'):
            end = time.monotonic() + 5
            while len(WORLD.sessions_ended) == ended and time.monotonic() < end:
                time.sleep(0.05)
            equal(WORLD.sessions_ended[ended:], [f'S{WORLD.session}'], 'the session is ended')
    if kind == 'session':
        WORLD.session = 0


@test('MCP: all pages of its tools are offered')
def _(s):
    with servers(s, mcp('json')), Tab(s.user('ann')) as tab:
        ask(tab, 'hello', ('server:mcp:m',), **NATIVE).wait()
        equal([t['function']['name'] for t in WORLD.models_asked()[-1]['tools']], ['m_rain', 'm_picture', 'm_fail', 'm_shape', 'm_slow'])


@test('MCP: pictures, structured answers, errors; prompted')
def _(s):
    name, done, arguments, result, files, embeds = mcp_call(s, 'json', 'm_picture')
    equal((result, files[0]['type']), ('a picture', 'image'))
    check('it does not work' in mcp_call(s, 'json', 'm_fail')[3])
    equal(json.loads(mcp_call(s, 'json', 'm_shape')[3]), {'sides': 4})
    with servers(s, mcp('events')), Tab(s.user('ann')) as tab:
        a = ask(tab, 'call m_rain {"city": "Oslo"}', ('server:mcp:m',)).wait()
        equal(a.saved()['sources'][0]['document'], ['Rain in Oslo.'])


for kind, text in (('hang', 'in time'), ('garbage', 'cannot be understood'), ('die', 'gave no answer'), ('big', 'too large')):
    @test(f'MCP: a bad day ({kind})')
    def _(s, kind=kind, text=text):
        begin = time.monotonic()
        result = mcp_call(s, kind, 'm_rain', 30)[3]
        check(text in result, result[:300])
        check(time.monotonic() - begin < LIMIT_S + 4, 'how long it took')


@test('MCP: a server that is not there does not keep the chat')
def _(s):
    with servers(s, connection('m', 'http://127.0.0.1:9/mcp', 'mcp'), connection('n', WORLD.url + '/mcp/none', 'mcp'), mcp('json') | {'info': {'id': 'good', 'name': 'g'}}):
        with Tab(s.user('ann')) as tab:
            a = ask(tab, 'call good_rain {"city": "Oslo"}', ('server:mcp:m', 'server:mcp:n', 'server:mcp:good'), **NATIVE).wait()
            equal(details(a.content)[0][3], 'Rain in Oslo.')


VERIFY = {'url': WORLD.url + '/mcp/events', 'path': '', 'type': 'mcp', 'auth_type': 'none', 'key': None, 'config': {}}
four_sides('MCP: verify', 'POST', '/api/v1/configs/tool_servers/verify', VERIFY, wrong={'url': 3, 'type': 'mcp'}, owner='admin')


@test('MCP: verify says what the server has, or that there is none')
def _(s):
    admin = s.admin()
    specs = admin.post('/api/v1/configs/tool_servers/verify', VERIFY).json()['specs']
    equal([x['name'] for x in specs], ['rain', 'picture', 'fail', 'shape', 'slow'])
    for url in ('http://127.0.0.1:9/mcp', WORLD.url + '/mcp-none', 'file:///etc/passwd', ''):
        r = admin.post('/api/v1/configs/tool_servers/verify', {**VERIFY, 'url': url})
        equal((r.status, r.json().get('detail')), (400, 'Failed to create MCP client'), url)
    admin.post('/api/v1/configs/tool_servers/verify', {**VERIFY, 'auth_type': 'bearer', 'key': 'secret'})
    equal(WORLD.asked[-1][1].get('authorization'), 'Bearer secret')
    r = admin.post('/api/v1/configs/tool_servers/verify', {**VERIFY, 'auth_type': 'oauth_2.1'})
    check(r.status == 400 and 'discovery document' in r.json()['detail'], r)


# ---------------------------------------------------------------- bad days of OpenAPI servers

for name, text, seconds in (('hang', 'in time', LIMIT_S + 3), ('garbage', 'not text', 5), ('big', 'too large', 5), ('die', 'broke off', 5), ('fail', 'HTTP error 500: on fire', 5)):
    @test(f'a bad day: {name}')
    def _(s, name=name, text=text, seconds=seconds):
        with servers(s, world()), Tab(s.user('ann')) as tab:
            begin = time.monotonic()
            a = ask(tab, f'call {name} {{"city": "x"}}', **NATIVE).wait(seconds + 5)
            check(time.monotonic() - begin < seconds, 'how long it took')
            check(text in details(a.content)[0][3] and a.done and not a.error, a.content[:400])
            equal(a.saved()['content'], a.content)


@test('a bad day: the description does not come')
def _(s):
    with servers(s, connection('dead', WORLD.url + '/dead'), world()), Tab(s.user('ann')) as tab:
        a = ask(tab, 'call weather {"city": "Oslo"}', ('server:dead', 'server:world'), **NATIVE).wait(20)
        equal(len(details(a.content)), 1)


@test('a bad day: a description that does not come is waited for once, and not by each process')
def _(s):
    asked = lambda: sum(1 for path, _, _ in WORLD.asked if path == '/dead/openapi.json')
    with servers(s, connection('dead', WORLD.url + '/dead'), world()):
        before, begin, got = asked(), time.monotonic(), []
        people = [threading.Thread(target=lambda: got.append(s.user('ann').get('/api/v1/tools/').json())) for _ in range(12)]
        for p in people:
            p.start()
        for p in people:
            p.join()
        equal([[t['id'] for t in one if t['id'].startswith('server:')] for one in got], [['server:world']] * 12)
        equal(asked() - before, 1)
        check(time.monotonic() - begin < 8, 'how long it took')


@test('stopped while a tool works: the server is let go, what was said is saved')
def _(s):
    for tools, name in ((('server:world',), 'slow'), (('server:mcp:m',), 'm_slow')):
        with servers(s, world(), mcp('json')), Tab(s.user('ann')) as tab:
            WORLD.left.clear()
            a = ask(tab, f'call {name} {{"city": "x"}}', tools, **NATIVE)
            a.until(lambda: details(a.content), 10)
            time.sleep(0.3)
            equal(s.user('ann').post(f'/api/tasks/stop/{a.response.json()["task_id"]}', {}).json()['status'], True)
            a.until(lambda: 'chat:tasks:cancel' in a.kinds(), 5)
            check(WORLD.left.wait(2), 'the tool server is still held')
            equal([d[:2] for d in details(a.saved()['content'])], [(name, 'false')])
            equal(a.tasks(), [])


@test('stopped while tools are chosen: nothing is saved')
def _(s):
    with servers(s, world()), Tab(s.user('ann')) as tab:
        a = ask(tab, 'call slow {"city": "x"}')
        time.sleep(0.5)
        equal(s.user('ann').post(f'/api/tasks/stop/{a.response.json()["task_id"]}', {}).json()['status'], True)
        a.until(lambda: 'chat:tasks:cancel' in a.kinds(), 5)
        equal(a.saved()['content'], '')


# ---------------------------------------------------------------- processes that are killed

def ours(s, *words, without='\0'):
    """Ids of the server's processes whose command line has these words."""
    out = []
    for pid in s.left():
        with contextlib.suppress(OSError):
            line = open(f'/proc/{pid}/cmdline').read().replace('\0', ' ')
            if all(w in line for w in words) and without not in line:
                out.append(pid)
    return out


def kill(pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@test('killed: the workers, again and again, while tools are called')
def _(s):
    parents = {pid for pid in ours(s, 'webui.fcgi', '--worker') if open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[1] in map(str, ours(s, 'webuictl') + ours(s, 'webui-sidecar'))}
    over = threading.Event()

    def killer():
        while not over.wait(0.4):
            kill(set(ours(s, 'webui.fcgi', '--worker')) - parents)
    with servers(s, world(), mcp('session')), Tab(s.user('ann')) as tab:
        t = threading.Thread(target=killer)
        t.start()
        try:
            for prompt, more in (('again\ncall weather {"city": "Oslo"}\ncall m_rain {"city": "Oslo"}', NATIVE), ('call weather {"city": "Oslo"}', {})):
                a = ask(tab, prompt, ('server:world', 'server:mcp:m'), **more)
                for _ in range(3):
                    if a.response.status == 200:
                        break
                    a = ask(tab, prompt, ('server:world', 'server:mcp:m'), **more)      # the request itself was hit
                a.wait(40)
                check(a.done and not a.error, f'{a.kinds()[-3:]} {a.error}')
                equal(len(details(a.content)), 6 if more else 0)
        finally:
            over.set()
            t.join()


@test('killed: the sidecar while a tool works, and while tools are listed: the message says so')
def _(s):
    for tools, prompt in ((('server:world',), 'call slow {"city": "x"}'), (('server:mcp:m',), 'call m_slow {"city": "x"}')):
        with servers(s, world(), mcp('json')), Tab(s.user('ann'), reconnection=True) as tab:
            a = ask(tab, prompt, tools, **NATIVE)
            a.until(lambda: details(a.content), 10)
            time.sleep(0.3)
            kill(ours(s, 'webui-sidecar'))
            end = time.monotonic() + 20
            saved = {}
            while not saved.get('error') and time.monotonic() < end:
                time.sleep(0.2)
                with contextlib.suppress(Exception):
                    saved = a.saved()
            check('restarted' in str(saved.get('error')), saved)
            equal(len(details(saved['content'])), 1)
            equal(a.tasks(), [])


if __name__ == '__main__':
    main(env=ENV)
