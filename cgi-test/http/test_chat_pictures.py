#!/usr/bin/env python3
"""Pictures that are made for a chat, and pictures that its programs draw."""
import json, os, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import check, equal, main, test
from notebook_server import Jupyter
from pictures import JPEG, PNG, b64, engine
from providers import JSON, Fake, connections, form, models
from tabs import Tab

FEATURES = {'features': {'image_generation': True}}
IMAGES = 'POST /images/generations'


def open_models(s, *ids):
    for id in ids:
        s.admin().post('/api/v1/models/create', {**form(id), 'base_model_id': None, 'access_control': None})
    s.admin().get('/api/models?refresh=true')


def files_of(message):
    return [f['url'] for f in message.get('files') or []]


@test('pictures: made, shown, kept with the message, and the model is told')
def _(s):
    ann = s.user('ann')
    open_models(s, 'stub-echo')
    with Fake({IMAGES: (200, JSON, json.dumps({'data': [{'b64_json': b64(PNG)}, {'b64_json': b64(JPEG)}]}))}) as f, \
            engine(s, prompt_generation=False, openai={'OPENAI_API_BASE_URL': f.url}), Tab(ann) as tab:
        s.stub.log()
        a = tab.ask('stub-echo', 'Draw a ship', **FEATURES).wait()
        equal(f.last()[3]['prompt'], 'Draw a ship')
        saved = a.saved()
        equal(len(files_of(saved)), 2)
        for url, want in zip(files_of(saved), (PNG, JPEG)):
            equal(ann.get(url).body, want)
            equal(s.user('bob').get(url).status, 404)
        equal([x['description'] for x in saved['statusHistory']], ['Creating image', 'Image created'])
        check([e for e in a.events if e.get('type') == 'files'], 'the tab was not shown the pictures')
        told = [r['body']['messages'] for r in s.stub.log() if r['path'] == '/v1/chat/completions' and r['body'].get('stream')][0]
        check(told[0]['role'] == 'system' and 'generated image' in told[0]['content'] and told[-1]['content'] == 'Draw a ship', told)


@test('pictures: a model words the description; if it does not, the user has')
def _(s):
    for answer, want in (('Sure: {"prompt": "a red ship at dawn"} done', 'a red ship at dawn'), ('no json here', 'Draw a ship'), ('{"prompt": 5}', 'Draw a ship')):
        chat = (200, JSON, json.dumps({'choices': [{'message': {'role': 'assistant', 'content': answer}}]}))
        with Fake({IMAGES: (200, JSON, json.dumps({'data': [{'b64_json': b64(PNG)}]})), 'GET /models': models('painter'), 'POST /chat/completions': chat}) as f:
            with engine(s, openai={'OPENAI_API_BASE_URL': f.url}), connections(s, [f.url]):
                r = s.admin().post('/api/chat/completions', {'model': 'painter', 'messages': [{'role': 'user', 'content': 'Draw a ship'}], **FEATURES})
                equal(r.status, 200, r.text())
                equal([json.loads(b)['prompt'] for _, p, _, b in f.seen if p == '/images/generations'], [want], answer)


@test('pictures: ComfyUI\'s queue is waited for')
def _(s):
    done = {'p1': {'outputs': {'9': {'images': [{'filename': 'a', 'subfolder': '', 'type': 'output'}]}}}}
    open_models(s, 'stub-echo')
    with Fake({'POST /prompt': (200, JSON, '{"prompt_id": "p1"}'), 'GET /history/p1': (200, JSON, '{}'), 'GET /view?filename=a&subfolder=&type=output': (200, 'image/png', PNG)}) as f, \
            engine(s, prompt_generation=False, engine='comfyui', comfyui={'COMFYUI_BASE_URL': f.url, 'COMFYUI_WORKFLOW': '{"1": {"inputs": {}}}'}), Tab(s.user('ann')) as tab:
        a = tab.ask('stub-echo', 'Draw a ship', **FEATURES)
        a.until(lambda: sum(p == '/history/p1' for _, p, _, _ in f.seen) >= 2, 20, 'looking at the queue')
        f.answers['GET /history/p1'] = (200, JSON, json.dumps(done))
        a.wait()
        equal(len(files_of(a.saved())), 1)


@test('pictures: an engine that fails is told to the user and to the model; the answer comes all the same')
def _(s):
    open_models(s, 'stub-small')
    with Fake({IMAGES: (400, JSON, '{"error": {"message": "not allowed"}}')}) as f, engine(s, prompt_generation=False, openai={'OPENAI_API_BASE_URL': f.url}), Tab(s.user('ann')) as tab:
        for setting in ({}, {'openai': {'OPENAI_API_BASE_URL': 'http://127.0.0.1:9'}}, {'engine': 'comfyui'}):
            with engine(s, **{'prompt_generation': False, 'openai': {'OPENAI_API_BASE_URL': f.url}, **setting}):
                a = tab.ask('stub-small', 'Draw a ship', **FEATURES).wait()
                saved = a.saved()
                equal(files_of(saved), [])
                equal(saved['statusHistory'][-1], {'description': 'An error occurred while generating an image', 'done': True})
                check('word0' in saved['content'], saved)


@test('pictures: who may not have them made')
def _(s):
    admin, ann = s.admin(), s.user('ann')
    open_models(s, 'stub-small')
    ask = {'model': 'stub-small', 'messages': [{'role': 'user', 'content': 'x'}], **FEATURES}
    with engine(s, enabled=False):
        equal([who.post('/api/chat/completions', ask).status for who in (ann, admin)], [403, 403])
    with engine(s):
        before = admin.get('/api/v1/users/default/permissions').json()
        admin.post('/api/v1/users/default/permissions', {**before, 'features': {**before['features'], 'image_generation': False}})
        try:
            equal(ann.post('/api/chat/completions', ask).status, 403)
        finally:
            admin.post('/api/v1/users/default/permissions', before)


def interpreter(s, **changes):
    before = s.admin().get('/api/v1/configs/code_execution').json()
    equal(s.admin().post('/api/v1/configs/code_execution', {**before, **changes}).status, 200)
    return before


@test('pictures: the code interpreter in a Jupyter server: what it prints, what it draws, and that the model goes on')
def _(s):
    code = f'import os\nfrom IPython.display import display\nprint(6 * 7)\ndisplay({{"image/png": "{b64(PNG)}"}}, raw=True)'
    with Jupyter(token='t') as j, Fake({'GET /models': models('coder')}) as f:
        text = f'Look: <code_interpreter type="code" lang="python">\n{code}\n</code_interpreter>'
        chunk = lambda delta: 'data: ' + json.dumps({'choices': [{'index': 0, 'delta': delta}]}) + '\n\n'
        f.answers['POST /chat/completions'] = (200, 'text/event-stream', [chunk({'content': text}) + 'data: [DONE]\n\n'])
        before = interpreter(s, CODE_INTERPRETER_ENGINE='jupyter', CODE_INTERPRETER_JUPYTER_URL=j.url, CODE_INTERPRETER_JUPYTER_AUTH='token',
                             CODE_INTERPRETER_JUPYTER_AUTH_TOKEN='t', CODE_INTERPRETER_JUPYTER_TIMEOUT=20)
        try:
            with connections(s, [f.url]), Tab(s.admin()) as tab:
                a = tab.ask('coder', 'Count', features={'code_interpreter': True}).wait(90)
                content = a.saved()['content']
                check('&quot;stdout&quot;: &quot;42&quot;' in content and '![Output Image](/api/v1/files/' in content, content)
                check('base64' not in content, 'the picture itself is in the message')
                url = content.split('![Output Image](')[1].split(')')[0]
                equal(s.admin().get(url).body, PNG)
                asked = [json.loads(b) for _, p, _, b in f.seen if p == '/chat/completions' and json.loads(b).get('stream')]
                check(len(asked) > 1 and '42' in asked[1]['messages'][-1]['content'], asked[1:2])
                equal(j.kernels(), [])
        finally:
            interpreter(s, **before)


if __name__ == '__main__':
    main({'ENABLE_RAG_LOCAL_WEB_FETCH': 'false'})
