"""A world of tools for tests: a model that calls what it is told to, OpenAPI and MCP servers that work, and ones that have bad days.

    with ToolWorld() as world:
        world.url + '/v1'        OpenAI's API. Model "calls": for each line "call NAME {arguments}" of the last message it calls that tool; when the results are there it
                                 says "got " and them. Asked in words (a system message with "tool_calls"), it answers with JSON. Otherwise it repeats the last message.
        world.url + '/tools'     an OpenAPI server (openapi.json)
        world.url + '/mcp/KIND'  MCP servers: json, events, resume, session, hang, garbage, die, big
        world.asked              (path, headers in small letters, body as JSON or text) of each request
"""
import contextlib, html, http.server, json, re, threading

from harness import equal
from tabs import Tab

PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
CITY = {'type': 'object', 'properties': {'city': {'type': 'string'}}, 'required': ['city']}


def operation(name, **more):
    return {'operationId': name, 'description': f'Does {name}', 'requestBody': {'content': {'application/json': {'schema': CITY}}}, **more}


OPENAPI = {'openapi': '3.1.0', 'info': {'title': 'World', 'description': 'All kinds of tools'}, 'paths': {
    **{f'/{name}': {'post': operation(name)} for name in ('weather', 'hang', 'garbage', 'big', 'die', 'fail', 'page', 'pictures', 'who', 'slow', 'list')},
    '/look/{place}': {'get': {'operationId': 'look', 'summary': 'Looks', 'parameters': [
        {'name': 'place', 'in': 'path', 'required': True, 'schema': {'type': 'string'}}, {'name': 'far', 'in': 'query', 'schema': {'type': 'integer'}}]}}}}
MCP_TOOLS = [{'name': name, 'description': f'Does {name}', 'inputSchema': CITY} for name in ('rain', 'picture', 'fail', 'shape', 'slow')]


def calls_in(text):
    return re.findall(r'^call (\S+) (.*)$', text, re.M)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    world = None

    def log_message(self, *_):
        pass

    def whole(self, status, body, kind='application/json', headers=()):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        body = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        for name, value in (('Content-Type', kind), ('Content-Length', str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def stream(self, *pieces, headers=()):
        self.send_response(200)
        for name, value in (('Content-Type', 'text/event-stream'), ('Connection', 'close'), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        for piece in pieces:
            self.wfile.write(piece.encode())
            self.wfile.flush()

    def die(self):
        self.close_connection = True
        self.connection.close()

    def stay(self):
        """Says nothing more, for as long as the other side stays."""
        self.close_connection = True
        self.connection.settimeout(0.2)
        while not self.world.over:
            try:
                if not self.connection.recv(4096):
                    break
            except TimeoutError:
                pass
            except OSError:
                break
        self.world.left.set()

    def do(self):
        raw = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw.decode('utf-8', 'replace')
        headers = {k.lower(): v for k, v in self.headers.items()}
        self.world.asked.append((self.path, headers, body))
        try:
            if self.path == '/v1/models':
                self.whole(200, {'data': [{'id': 'calls'}, {'id': 'calls-slow'}]})
            elif self.path == '/v1/chat/completions':
                self.model(body)
            elif self.path == '/tools/openapi.json':
                self.whole(200, OPENAPI)
            elif self.path == '/dead/openapi.json':
                self.stay()
            elif self.path.startswith('/tools/'):
                self.tool(self.path[7:], headers, body)
            elif self.path.startswith('/mcp/'):
                self.mcp(self.path[5:], headers, body)
            else:
                self.whole(404, {'detail': 'nothing here'})
        except OSError:
            self.world.left.set()

    do_GET = do_POST = do_DELETE = do

    # ---- the model

    def model(self, body):
        messages = body['messages']
        said = [m['content'] if isinstance(m['content'], str) else m['content'][0]['text'] for m in messages if m['role'] == 'user']
        last, calls = said[-1] if said else '', calls_in(said[-1] if said else '')
        results = [m['content'] for m in messages if m['role'] == 'tool']
        if messages[0]['role'] == 'system' and '"tool_calls"' in messages[0]['content']:
            asked = calls_in(last.rpartition('The last message: ')[2])
            text = json.dumps({'tool_calls': [{'name': n, 'parameters': json.loads(a)} for n, a in asked]})
            self.answer(body, text, [])
        elif calls and body.get('tools') and ('again' in last or not results):
            self.answer(body, '', calls)
        else:
            self.answer(body, 'got ' + ' & '.join(results) if results else last, [])

    def answer(self, body, text, calls):
        tool_calls = [{'index': i, 'id': f'c{i}', 'type': 'function', 'function': {'name': n, 'arguments': a}} for i, (n, a) in enumerate(calls)]
        if not body.get('stream'):
            message = {'role': 'assistant', 'content': text or None} | ({'tool_calls': tool_calls} if calls else {})
            self.whole(200, {'choices': [{'index': 0, 'message': message, 'finish_reason': 'stop'}]})
            return
        parts = [{'tool_calls': [c]} for c in tool_calls] or [{'content': w} for w in re.findall(r'\S+\s*|\s+', text)]
        self.stream(*('data: ' + json.dumps({'choices': [{'index': 0, 'delta': d}]}) + '\n\n' for d in parts),
                    'data: ' + json.dumps({'choices': [{'index': 0, 'delta': {}, 'finish_reason': 'tool_calls' if calls else 'stop'}]}) + '\n\ndata: [DONE]\n\n')

    # ---- OpenAPI

    def tool(self, name, headers, body):
        city = (body or {}).get('city') if isinstance(body, dict) else None
        if name == 'weather':
            self.whole(200, {'city': city, 'weather': 'sunny'})
        elif name.startswith('look/'):
            self.whole(200, {'path': self.path})
        elif name in ('hang', 'slow'):
            self.stay()
        elif name == 'garbage':
            self.whole(200, b'\x00\xff{{{', 'application/json')
        elif name == 'big':
            self.whole(200, {'big': 'x' * (4 << 20)})
        elif name == 'die':
            self.die()
        elif name == 'fail':
            self.whole(500, 'on fire', 'text/plain')
        elif name == 'page':
            self.whole(200, '<p>hello</p>', 'text/html', [('Content-Disposition', 'inline')])
        elif name == 'pictures':
            self.whole(200, ['one', 'data:image/png;base64,' + PIXEL])
        elif name == 'list':
            self.whole(200, [1, 2])
        elif name == 'who':
            self.whole(200, {'authorization': headers.get('authorization'), 'cookie': headers.get('cookie'), 'extra': headers.get('x-extra')})
        else:
            self.whole(404, {'detail': 'no such tool'})

    # ---- MCP

    def mcp(self, kind, headers, body):
        world = self.world
        if self.command == 'DELETE':
            world.sessions_ended.append(headers.get('mcp-session-id'))
            self.whole(200, '')
            return
        if kind == 'resume' and self.command == 'GET':
            answer = world.waiting.pop(headers.get('last-event-id'), None)
            self.stream('id: z\ndata: ' + json.dumps(answer) + '\n\n')
            return
        if self.command != 'POST':
            self.whole(405, '')
            return
        if 'id' not in body:
            self.whole(202, '')
            return
        method, name = body['method'], (body.get('params') or {}).get('name')
        calls = method == 'tools/call'
        if calls and kind == 'hang' or name == 'slow':
            self.stay()
            return
        if calls and kind == 'die':
            self.die()
            return
        if calls and kind == 'garbage':
            self.whole(200, b'\x00\xff{{{')
            return
        if calls and kind == 'session' and headers.get('mcp-session-id') == 'S1':
            self.whole(404, 'no such session', 'text/plain')
            return
        answer = {'jsonrpc': '2.0', 'id': body['id'], 'result': self.result(kind, method, name, body)}
        session = []
        if method == 'initialize' and kind in ('session', 'events'):
            world.session += 1
            session = [('Mcp-Session-Id', f'S{world.session}')]
        if kind == 'events':
            progress = {'jsonrpc': '2.0', 'method': 'notifications/progress', 'params': {'progressToken': body['id'], 'progress': 1}}
            self.stream(': hello\n\n', 'event: message\ndata: ' + json.dumps(progress) + '\n\n', 'event: message\ndata: ' + json.dumps(answer) + '\n\n', headers=session)
            self.stay()
        elif kind == 'resume' and calls:
            world.waiting['e1'] = answer
            self.stream('id: e1\nretry: 50\ndata:\n\n')
        else:
            self.whole(200, answer, headers=session)

    def result(self, kind, method, name, body):
        if method == 'initialize':
            return {'protocolVersion': body['params']['protocolVersion'], 'capabilities': {'tools': {}}, 'serverInfo': {'name': 'world', 'version': '1'}}
        if method == 'tools/list':
            page = (body.get('params') or {}).get('cursor')
            return {'tools': MCP_TOOLS[2:]} if page else {'tools': MCP_TOOLS[:2], 'nextCursor': 'more'}
        arguments = body['params'].get('arguments') or {}
        if name == 'picture':
            return {'content': [{'type': 'text', 'text': 'a picture'}, {'type': 'image', 'mimeType': 'image/png', 'data': PIXEL}]}
        if name == 'fail':
            return {'content': [{'type': 'text', 'text': 'it does not work'}], 'isError': True}
        if name == 'shape':
            return {'content': [], 'structuredContent': {'sides': 4}}
        if kind == 'big':
            return {'content': [{'type': 'text', 'text': 'x' * (4 << 20)}]}
        return {'content': [{'type': 'text', 'text': f'Rain in {arguments.get("city")}.'}], 'isError': False}


class ToolWorld:
    def __init__(self):
        self.asked, self.over, self.left = [], False, threading.Event()
        self.session, self.sessions_ended, self.waiting = 0, [], {}
        handler = type('Handler', (Handler,), {'world': self})

        class Threads(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Threads(('127.0.0.1', 0), handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def models_asked(self):
        return [body for path, _, body in self.asked if path == '/v1/chat/completions']

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over = True
        self.server.shutdown()
        self.server.server_close()


# ---------------------------------------------------------------- what tests of tools share

def connection(id, url, type='openapi', auth='none', key='', access=None, **more):
    return {'url': url, 'path': 'openapi.json' if type == 'openapi' else '', 'type': type, 'auth_type': auth, 'key': key,
            'config': {'enable': True, 'access_control': access}, 'info': {'id': id, 'name': id, 'description': ''}, **more}


@contextlib.contextmanager
def servers(s, *connections):
    r = s.admin().post('/api/v1/configs/tool_servers', {'TOOL_SERVER_CONNECTIONS': list(connections)})
    equal(r.status, 200, r)
    try:
        yield
    finally:
        s.admin().post('/api/v1/configs/tool_servers', {'TOOL_SERVER_CONNECTIONS': []})


def details(text):
    """[(name, done, arguments, result)] of the calls that a message shows."""
    found = re.findall(r'<details type="tool_calls" done="(\w+)" id="[^"]*" name="([^"]*)" arguments="([^"]*)"(?: result="([^"]*)" files="([^"]*)" embeds="([^"]*)")?>', text)
    read = lambda t: json.loads(html.unescape(t)) if t else None
    return [(name, done, read(arguments), read(result), read(files), read(embeds)) for done, name, arguments, result, files, embeds in found]


class Browser(Tab):
    """A tab that answers what it is asked."""
    answers = {}

    def keep(self, data=None):
        super().keep(data)
        kind = ((data or {}).get('data') or {}).get('type')
        answer = self.answers.get(kind)
        return answer(data['data']['data']) if callable(answer) else answer
