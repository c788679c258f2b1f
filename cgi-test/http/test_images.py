#!/usr/bin/env python3
"""/api/v1/images: settings, and pictures of each engine, which become files of the person who asked."""
import json, threading

from harness import *
from pictures import *
from providers import *

def file_of(s, who, url):
    """The row behind a picture's address, and its bytes."""
    id = url.split('/')[4]
    row = who.get('/api/v1/files/' + id)
    equal(row.status, 200, row.text())
    return row.json(), who.get(url)


four_sides('images: config', 'GET', CONFIG, owner='admin')
four_sides('images: verify', 'GET', CONFIG + '/url/verify', owner='admin')
four_sides('images: picture config', 'GET', PICTURES, owner='admin')
four_sides('images: picture config update', 'POST', PICTURES + '/update', {'MODEL': '', 'IMAGE_SIZE': '512x512', 'IMAGE_STEPS': 50}, wrong={'MODEL': ''}, owner='admin')
four_sides('images: models', 'GET', '/api/v1/images/models', other_status=None)
four_sides('images: generate', 'POST', GENERATE, {'prompt': 'a ship'}, wrong={'prompt': 5}, other_status=None)


@test('images: config update: four sides')
def _(s):
    equal(s.anyone().post(CONFIG + '/update', settings()).status, 401)
    equal(s.user('bob').post(CONFIG + '/update', settings()).status, 401)
    for wrong in ({'engine': 5}, {'enabled': 'perhaps'}, {'openai': {'OPENAI_API_KEY': None}}, {'automatic1111': {'AUTOMATIC1111_CFG_SCALE': 'much'}},
                  {'comfyui': {'COMFYUI_WORKFLOW_NODES': ['x']}}, {'comfyui': {'COMFYUI_WORKFLOW_NODES': {}}}):
        equal(s.admin().post(CONFIG + '/update', settings(**wrong)).status, 422, wrong)
    before = s.admin().get(CONFIG).json()
    try:
        r = s.admin().post(CONFIG + '/update', settings(automatic1111={'AUTOMATIC1111_CFG_SCALE': '7.5', 'AUTOMATIC1111_SAMPLER': ''}, comfyui={'COMFYUI_BASE_URL': '/http://c//'}))
        equal(r.json(), settings(automatic1111={'AUTOMATIC1111_CFG_SCALE': 7.5}, comfyui={'COMFYUI_BASE_URL': 'http://c'}))
        equal(s.admin().get(CONFIG).json(), r.json())
        check(KEY not in s.user('ann').get('/api/config').text(), 'a key is shown')
    finally:
        equal(s.admin().post(CONFIG + '/update', before).json(), before)


@test('images: a wrong size or number of steps changes nothing')
def _(s):
    before = s.admin().get(PICTURES).json()
    for wrong in ({'IMAGE_SIZE': 'big'}, {'IMAGE_SIZE': 'x'}, {'IMAGE_SIZE': '5x'}, {'IMAGE_SIZE': '1x2x3'}, {'IMAGE_SIZE': '-1x5'}, {'IMAGE_SIZE': 'auto'}, {'IMAGE_STEPS': -1}):
        equal(s.admin().post(PICTURES + '/update', {**before, 'MODEL': 'other', **wrong}).status, 400, wrong)
        equal(s.admin().get(PICTURES).json(), before)


@test('images: OpenAI: what is asked, what is kept, and whose it is')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    with Fake({'POST /v1/images/generations?api-version=2%26x': (200, JSON, json.dumps({'data': [{'b64_json': b64(PNG)}, {'b64_json': 'data:image/png;base64,' + b64(JPEG)}]}))}) as f, \
            engine(s, model='dall-e-3', openai={'OPENAI_API_BASE_URL': f.url + '/v1', 'OPENAI_API_VERSION': '2&x'}):
        r = ann.post(GENERATE, {'prompt': 'ein Schiff', 'n': 2, 'size': '64x32', 'model': 'ignored', 'negative_prompt': 'x'})
        equal(r.status, 200, r.text())
        equal((f.last()[2]['authorization'], f.last()[3]),
              ('Bearer ' + KEY, {'model': 'dall-e-3', 'prompt': 'ein Schiff', 'n': 2, 'size': '64x32', 'response_format': 'b64_json'}))
        urls = [x['url'] for x in r.json()]
        equal(len(urls), 2)
        row, content = file_of(s, ann, urls[0])
        equal((row['filename'], row['meta']['content_type'], row['meta']['size'], row['meta']['data']['prompt'], row['user_id']),
              ('generated-image.png', 'image/png', len(PNG), 'ein Schiff', ann.id))
        equal((content.status, content.headers['content-type'], content.body), (200, 'image/png', PNG))
        row, content = file_of(s, ann, urls[1])
        equal((row['filename'], content.headers['content-type'], content.body), ('generated-image.jpg', 'image/jpeg', JPEG))
        for url in urls:
            equal(bob.get(url).status, 404)
            equal(s.anyone().get(url).status, 401)
        check(KEY not in json.dumps(row), 'the key is kept with the picture')


@test('images: gpt-image-1 is not told how to answer; no name is given away unless it is to be')
def _(s):
    with Fake({'POST /images/generations': (200, JSON, json.dumps({'data': [{'b64_json': b64(WEBP)}]}))}) as f, \
            engine(s, model='gpt-image-1', size='auto', openai={'OPENAI_API_BASE_URL': f.url}):
        r = s.user('ann').post(GENERATE, {'prompt': 'p'})
        equal((r.status, f.last()[3]), (200, {'model': 'gpt-image-1', 'prompt': 'p', 'n': 1, 'size': 'auto'}))
        check(not [h for h in f.last()[2] if h.startswith('x-openwebui')], f.last()[2])
        equal(file_of(s, s.user('ann'), r.json()[0]['url'])[0]['filename'], 'generated-image.webp')


@test('images: pictures given by address: the engine\'s own server, and no private one')
def _(s):
    with Fake({'GET /p.png': (200, 'image/png', PNG), 'GET /page': (200, 'text/html', '<b>')}) as f, Fake({'GET /p.png': (200, 'image/png', PNG)}) as inside, \
            engine(s, openai={'OPENAI_API_BASE_URL': f.url}):
        def ask(url):
            f.answers['POST /images/generations'] = (200, JSON, json.dumps({'data': [{'url': url}]}))
            return s.user('ann').post(GENERATE, {'prompt': 'p'})
        equal(ask(f.url + '/p.png').status, 200)
        equal(f.last()[2]['authorization'], 'Bearer ' + KEY)
        equal(ask(f.url + '/page').status, 400)
        for url in (inside.url + '/p.png', inside.url.replace('127.0.0.1', 'localhost') + '/p.png', inside.url.replace('127.0.0.1', '[::ffff:127.0.0.1]') + '/p.png',
                    'http://169.254.169.254/p.png', 'file:///etc/passwd', 'gopher://127.0.0.1/', ''):
            equal(ask(url).status, 400, url)
        equal(inside.seen, [])


@test('images: Gemini')
def _(s):
    with Fake({'POST /models/imagen%20x:predict': (200, JSON, json.dumps({'predictions': [{'bytesBase64Encoded': b64(PNG)}]}))}) as f, \
            engine(s, model='imagen x', engine='gemini', gemini={'GEMINI_API_BASE_URL': f.url}):
        r = s.user('ann').post(GENERATE, {'prompt': 'p', 'n': 3})
        equal((r.status, len(r.json())), (200, 1))
        equal((f.last()[2]['x-goog-api-key'], f.last()[3]),
              (KEY, {'instances': {'prompt': 'p'}, 'parameters': {'sampleCount': 3, 'outputOptions': {'mimeType': 'image/png'}}}))


@test('images: AUTOMATIC1111: pictures, models, and a checkpoint for one order only')
def _(s):
    admin, ann = s.admin(), s.user('ann')
    with Fake({'POST /sdapi/v1/txt2img': (200, JSON, json.dumps({'images': [b64(PNG)], 'info': '{"seed": 5}'})),
               'GET /sdapi/v1/options': (200, JSON, '{"sd_model_checkpoint": "one", "more": 1}'), 'POST /sdapi/v1/options': (200, JSON, 'null'),
               'GET /sdapi/v1/sd-models': (200, JSON, '[{"title": "one [ab]", "model_name": "one"}]')}) as f, \
            engine(s, steps=9, engine='automatic1111', automatic1111={'AUTOMATIC1111_BASE_URL': f.url, 'AUTOMATIC1111_API_AUTH': 'me:pass', 'AUTOMATIC1111_CFG_SCALE': 3,
                                                                       'AUTOMATIC1111_SAMPLER': 'Euler', 'AUTOMATIC1111_SCHEDULER': 'x'}):
        r = ann.post(GENERATE, {'prompt': 'p', 'size': '96x64', 'negative_prompt': 'n', 'model': 'two'})
        equal(r.status, 200, r.text())
        equal((f.last()[2]['authorization'], f.last()[3]),
              ('Basic ' + b64(b'me:pass'), {'prompt': 'p', 'batch_size': 1, 'width': 96, 'height': 64, 'steps': 9, 'negative_prompt': 'n', 'cfg_scale': 3.0, 'sampler_name': 'Euler',
                                            'scheduler': 'x', 'override_settings': {'sd_model_checkpoint': 'two'}, 'override_settings_restore_afterwards': True}))
        equal(file_of(s, ann, r.json()[0]['url'])[0]['meta']['data']['info'], '{"seed": 5}')
        equal(ann.get('/api/v1/images/models').json(), [{'id': 'one [ab]', 'name': 'one'}])
        equal(admin.get(CONFIG + '/url/verify').json(), True)
        n = len(f.seen)
        equal(admin.post(PICTURES + '/update', {'MODEL': 'one', 'IMAGE_SIZE': '64x64', 'IMAGE_STEPS': 1}).status, 200)
        equal(len(f.seen), n + 1, 'it is loaded already')
        equal(admin.post(PICTURES + '/update', {'MODEL': 'two', 'IMAGE_SIZE': '64x64', 'IMAGE_STEPS': 1}).status, 200)
        equal(f.last()[3], {'sd_model_checkpoint': 'two', 'more': 1})
        f.answers.clear()
        equal(admin.get(CONFIG + '/url/verify').status, 400)
        equal(ann.get('/api/v1/images/models').status, 400)
        equal(admin.get(CONFIG).json()['enabled'], True, 'a question has switched the engine off')


WORKFLOW = {'1': {'class_type': 'Loader', 'inputs': {'ckpt_name': 'a'}}, '2': {'class_type': 'Text', 'inputs': {'text': ''}}, '3': {'class_type': 'Text', 'inputs': {}},
            '4': {'class_type': 'Latent', 'inputs': {}}}
NODES = [{'type': 'model', 'key': 'ckpt_name', 'node_ids': ['1']}, {'type': 'prompt', 'key': 'text', 'node_ids': ['2']}, {'type': 'negative_prompt', 'node_ids': ['3']},
         {'type': 'width', 'node_ids': ['4']}, {'type': 'height', 'key': 'h', 'node_ids': ['4']}, {'type': 'n', 'node_ids': ['4']}, {'type': 'steps', 'node_ids': ['4']},
         {'type': 'seed', 'key': 'seed', 'node_ids': ['4']}, {'key': 'fixed', 'value': 'v', 'node_ids': ['4']}, {'type': 'unknown', 'node_ids': ['9']}]


@test('images: ComfyUI: the workflow is filled in, queued, and waited for')
def _(s):
    ann = s.user('ann')
    done = {'p1': {'status': {'status_str': 'success'}, 'outputs': {'9': {'images': [{'filename': 'a b.png', 'subfolder': 's/t', 'type': 'output'}]}, '8': {'text': ['x']}}}}
    with Fake({'POST /prompt': (200, JSON, '{"prompt_id": "p1"}'), 'GET /history/p1': (200, JSON, '{}'),
               'GET /view?filename=a%20b.png&subfolder=s%2Ft&type=output': (200, 'image/png', PNG),
               'GET /object_info': (200, JSON, json.dumps({'Loader': {'input': {'required': {'x': [], 'ckpt_name': [['a', 'b']]}}}}))}) as f, \
            engine(s, model='b', steps=7, engine='comfyui', comfyui={'COMFYUI_BASE_URL': f.url, 'COMFYUI_WORKFLOW': json.dumps(WORKFLOW), 'COMFYUI_WORKFLOW_NODES': NODES}):
        equal(ann.get('/api/v1/images/models').json(), [{'id': 'a', 'name': 'a'}, {'id': 'b', 'name': 'b'}])
        equal(s.admin().get(CONFIG + '/url/verify').json(), True)
        answer = []
        asking = threading.Thread(target=lambda: answer.append(ann.post(GENERATE, {'prompt': 'ein Schiff', 'size': '96x64', 'n': 2})))
        asking.start()
        wait_until(lambda: sum(p == '/history/p1' for _, p, _, _ in f.seen) >= 3, 20, 'asking for the history')
        f.answers['GET /history/p1'] = (200, JSON, json.dumps(done))
        asking.join(30)
        equal(answer[0].status, 200, answer[0].text())
        equal(file_of(s, ann, answer[0].json()[0]['url'])[1].body, PNG)
        sent = next(json.loads(b) for _, p, _, b in f.seen if p == '/prompt')
        seed = sent['prompt']['4']['inputs'].pop('seed')
        check(0 <= seed < 1125899906842624, seed)
        equal(sent['prompt'], {'1': {'class_type': 'Loader', 'inputs': {'ckpt_name': 'b'}}, '2': {'class_type': 'Text', 'inputs': {'text': 'ein Schiff'}},
                               '3': {'class_type': 'Text', 'inputs': {'text': ''}},
                               '4': {'class_type': 'Latent', 'inputs': {'width': 96, 'h': 64, 'batch_size': 2, 'steps': 7, 'fixed': 'v'}}})
        check(all(h['authorization'] == 'Bearer ' + KEY for _, _, h, _ in f.seen), 'without the key')
        for entry, text in (({'p1': {'status': {'status_str': 'error', 'messages': [['execution_start', {}], ['execution_error', {'exception_message': 'no memory'}]]}, 'outputs': {}}}, 'no memory'),
                            ({'p1': {'outputs': {}}}, 'made no picture'), ({'p1': {'outputs': {'1': {'images': [{'filename': '../x', 'subfolder': '', 'type': ''}]}}}}, 'status 404')):
            f.answers['GET /history/p1'] = (200, JSON, json.dumps(entry))
            r = ann.post(GENERATE, {'prompt': 'p'})
            check(r.status == 400 and text in r.json()['detail'], f'{text}: {r}')
        f.answers['POST /prompt'] = (400, JSON, '{"error": {"message": "Prompt outputs failed validation"}}')
        equal(ann.post(GENERATE, {'prompt': 'p'}).json(), {'detail': '[ERROR: Prompt outputs failed validation]'})
        f.answers['POST /prompt'] = (200, JSON, '{}')
        equal(ann.post(GENERATE, {'prompt': 'p'}).status, 400)
    with engine(s, engine='comfyui', comfyui={'COMFYUI_WORKFLOW': 'not json'}):
        equal(ann.post(GENERATE, {'prompt': 'p'}).status, 400)
    with engine(s, engine='comfyui', comfyui={'COMFYUI_WORKFLOW': '{"1": {}}', 'COMFYUI_WORKFLOW_NODES': [{'type': 'prompt', 'node_ids': ['1']}]}):
        equal(ann.post(GENERATE, {'prompt': 'p'}).status, 400)


@test('images: what goes wrong at the engine is told, and nothing is kept')
def _(s):
    ann = s.user('ann')
    n = len(ann.get('/api/v1/files/').json())
    with Fake({}) as f, engine(s, openai={'OPENAI_API_BASE_URL': f.url}):
        for answer, detail in (((400, JSON, '{"error": {"message": "not allowed"}}'), '[ERROR: not allowed]'), ((500, 'text/html', '<b>'), '[ERROR: the image engine answered with status 500]'),
                               ((200, JSON, '{"data": []}'), '[ERROR: the image engine sent no picture]'), ((200, JSON, 'nonsense'), '[ERROR: the image engine sent no picture]'),
                               ((200, JSON, '{"data": [{"b64_json": "PHN2Zz4="}]}'), '[ERROR: the image engine\'s answer is no picture]'),
                               ((200, JSON, '{"data": [{"b64_json": "!!!"}]}'), '[ERROR: the image engine\'s answer is no picture]'),
                               ((200, JSON, '{"data": [5, {}]}'), '[ERROR: the image engine\'s answer is no picture]'), ((200, JSON, '{"data": {"0": 1}}'), '[ERROR: the image engine sent no picture]')):
            f.answers['POST /images/generations'] = answer
            r = ann.post(GENERATE, {'prompt': 'p'})
            equal((r.status, r.json()), (400, {'detail': detail}), answer)
        for wrong in ({'n': 0}, {'n': 11}, {'n': -1}):
            equal(ann.post(GENERATE, {'prompt': 'p', **wrong}).status, 400, wrong)
    with engine(s):
        equal(ann.post(GENERATE, {'prompt': 'p'}).json(), {'detail': '[ERROR: Server Connection Error]'})
    for more in ({'engine': 'nobody'}, {'engine': 'automatic1111'}):
        with engine(s, **more):
            for size in (None, '5x', 'axb', '99999999999999999999x1'):
                equal(ann.post(GENERATE, {'prompt': 'p', 'size': size}).status, 400, f'{more} {size}')
    equal(len(ann.get('/api/v1/files/').json()), n)


@test('images: who may not have pictures made')
def _(s):
    admin, ann = s.admin(), s.user('ann')
    with Fake({'POST /images/generations': (200, JSON, json.dumps({'data': [{'b64_json': b64(PNG)}]}))}) as f:
        with engine(s, enabled=False, openai={'OPENAI_API_BASE_URL': f.url}):
            for who in (ann, admin):
                equal(who.post(GENERATE, {'prompt': 'p'}).status, 403)
        with engine(s, openai={'OPENAI_API_BASE_URL': f.url}):
            before = admin.get('/api/v1/users/default/permissions').json()
            admin.post('/api/v1/users/default/permissions', {**before, 'features': {**before['features'], 'image_generation': False}})
            try:
                equal(ann.post(GENERATE, {'prompt': 'p'}).status, 403)
                equal(f.seen, [])
                equal(admin.post(GENERATE, {'prompt': 'p'}).status, 200)
            finally:
                admin.post('/api/v1/users/default/permissions', before)


if __name__ == '__main__':
    main({'ENABLE_RAG_LOCAL_WEB_FETCH': 'false'})
