#!/usr/bin/env python3
"""Pictures in a chat: made for a question, sent along with a message, brought back by tools and by code; code that a Jupyter server runs."""
import base64, json, os, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import check, equal, main, test
from providers import form
from tabs import Tab
from notebook_server import Jupyter
from tool_world import PIXEL, Browser, ToolWorld, connection, details, servers

WORLD, TOKEN = ToolWorld(), 'right'
PNG = base64.b64decode(PIXEL)
CODE = '<code_interpreter type="code" lang="python">draw()</code_interpreter>'


def open_models(s):
    for id in ('stub-small', 'stub-echo', 'stub-code', 'stub-tools'):
        s.admin().post('/api/v1/models/create', {**form(id), 'base_model_id': None, 'access_control': None})
    s.admin().get('/api/models?refresh=true')


def is_picture(who, url):
    r = who.get(url)
    check(r.status == 200 and r.headers['content-type'] == 'image/png' and r.body.startswith(b'\x89PNG'), f'{url}: {r.status}')


def asked(s):
    return [x['body'] for x in s.stub.log() if x['path'] == '/v1/chat/completions']


# ---------------------------------------------------------------- made for a question

@test('picture: made, shown, kept, and the model knows')
def _(s):
    open_models(s)
    ann, bob = s.user('ann'), s.user('bob')
    with Tab(ann) as tab:
        a = tab.ask('stub-small', 'Draw a lighthouse', features={'image_generation': True}).wait(30)
        saved = a.saved()
        equal([(x['description'], x['done']) for x in saved['statusHistory']], [('Creating image', False), ('Image created', True)])
        equal([f['type'] for f in saved['files']], ['image'])
        is_picture(ann, saved['files'][0]['url'])
        check(bob.get(saved['files'][0]['url']).status in (401, 403, 404), "somebody else's")
        system = [m['content'] for m in asked(s)[-1]['messages'] if m['role'] == 'system']
        check(system and 'the generated image' in system[0], system)


@test('picture: the engine is away; whoever may not')
def _(s):
    open_models(s)
    ann, admin = s.user('ann'), s.admin()
    config = admin.get('/api/v1/images/config').json()
    body = {'model': 'stub-small', 'messages': [{'role': 'user', 'content': 'x'}], 'features': {'image_generation': True}}
    try:
        equal(admin.post('/api/v1/images/config/update', {**config, 'openai': {**config['openai'], 'OPENAI_API_BASE_URL': 'http://127.0.0.1:9/v1'}}).status, 200)
        with Tab(ann) as tab:
            a = tab.ask('stub-small', 'Draw', features={'image_generation': True}).wait(30)
            equal([x['description'] for x in a.saved()['statusHistory']], ['Creating image', 'An error occurred while generating an image'])
            check(a.done and not a.saved().get('files'), a.saved())
        equal(admin.post('/api/v1/images/config/update', {**config, 'enabled': False}).status, 200)
        equal(ann.post('/api/chat/completions', body).status, 403)
    finally:
        admin.post('/api/v1/images/config/update', config)
    permissions = admin.get('/api/v1/users/default/permissions').json()
    changed = json.loads(json.dumps(permissions))
    changed['features']['image_generation'] = False
    admin.post('/api/v1/users/default/permissions', changed)
    try:
        equal(ann.post('/api/chat/completions', body).status, 403)
    finally:
        admin.post('/api/v1/users/default/permissions', permissions)


# ---------------------------------------------------------------- in messages

@test('messages: a picture of ours goes to the model as it is; others only as far as the user may')
def _(s):
    open_models(s)
    ann, bob = s.user('ann'), s.user('bob')
    id = ann.upload('/api/v1/files/?process=false', 'p.png', PNG, 'image/png').json()['id']
    text = ann.upload('/api/v1/files/?process=false', 'p.txt', b'no picture').json()['id']

    def told(who, url):
        s.stub.log()
        r = who.post('/api/chat/completions', {'model': 'stub-small', 'messages': [{'role': 'user', 'content': [{'type': 'text', 'text': 'See'}, {'type': 'image_url', 'image_url': {'url': url}}]}]})
        equal(r.status, 200, str(r))
        return [p['image_url']['url'] for p in asked(s)[-1]['messages'][-1]['content'] if p['type'] == 'image_url']
    data = 'data:image/png;base64,' + PIXEL
    for url in (f'/api/v1/files/{id}/content', f'/api/v1/files/{id}', f'http://127.0.0.1:8080/api/v1/files/{id}/content/p.png'):
        equal(told(ann, url), [data], url)
    equal(told(bob, f'/api/v1/files/{id}/content'), [], "somebody else's")
    equal(told(ann, f'/api/v1/files/{text}/content'), [], 'no picture')
    equal(told(ann, '/api/v1/files/gone/content'), [])
    for url in (data, 'https://example.org/x.png'):
        equal(told(ann, url), [url], url)


# ---------------------------------------------------------------- brought back

@test('tools: a picture of an MCP server is a file of the user')
def _(s):
    open_models(s)
    ann = s.user('ann')
    with servers(s, connection('m', WORLD.url + '/mcp/json', 'mcp')), Tab(ann) as tab:
        a = tab.ask('stub-tools', 'A picture', tool_ids=['server:mcp:m|picture'], params={'function_calling': 'native'}).wait()
        found, = details(a.saved()['content'])[0][4]
        equal(found['type'], 'image')
        is_picture(ann, found['url'])


@test('code: pictures that it has drawn are files of the user')
def _(s):
    open_models(s)
    ann = s.user('ann')
    with Browser(ann) as tab:
        tab.answers = {'execute:python': {'stdout': 'here:\ndata:image/png;base64,' + PIXEL + '\nend', 'stderr': '', 'result': 'data:image/png;base64,' + PIXEL}}
        content = tab.ask('stub-code', 'Draw', features={'code_interpreter': True}).wait().saved()['content']
        check('data:image' not in content and content.count('![Output Image](/api/v1/files/') == 2, content)
        is_picture(ann, content.split('![Output Image](')[1].split(')')[0])


@test('code: run by a Jupyter server')
def _(s):
    open_models(s)
    admin = s.admin()
    was = admin.get('/api/v1/configs/code_execution').json()
    with Jupyter(token=TOKEN) as server:
        equal(admin.post('/api/v1/configs/code_execution', {**was, 'CODE_INTERPRETER_ENGINE': 'jupyter', 'CODE_INTERPRETER_JUPYTER_URL': server.url, 'CODE_INTERPRETER_JUPYTER_AUTH': 'token',
                                                            'CODE_INTERPRETER_JUPYTER_AUTH_TOKEN': TOKEN, 'CODE_INTERPRETER_JUPYTER_TIMEOUT': 10}).status, 200)
        try:
            with Tab(s.user('ann')) as tab:
                a = tab.ask('stub-code', 'Compute', features={'code_interpreter': True}).wait(30)
                check('"stdout": "' in a.saved()['content'].replace('&quot;', '"') and 'word19' in a.content, a.content)
                check('execute:python' not in a.kinds(), a.kinds())
            equal(admin.post('/api/v1/configs/code_execution', {**was, 'CODE_INTERPRETER_ENGINE': 'jupyter', 'CODE_INTERPRETER_JUPYTER_URL': 'http://127.0.0.1:9'}).status, 200)
            with Tab(s.user('ann')) as tab:
                a = tab.ask('stub-code', 'Compute', features={'code_interpreter': True}).wait(30)
                check('Error' in a.saved()['content'] and a.done, a.content)
        finally:
            admin.post('/api/v1/configs/code_execution', was)


if __name__ == '__main__':
    main()
