#!/usr/bin/env python3
"""Makes cgi-test/changeover/sample: installations as the Python backend 0.6.32 leaves them, and what it answered about them.

    REFERENCE_HOME=~/open-webui-0.6.32 cgi-test/changeover/make-sample.py [sqlite] [postgres]

REFERENCE_HOME is a virtual environment that has the backend: `python3.11 -m venv D && D/bin/pip install open-webui==0.6.32` (from PyPI).
Nothing of it is needed to use the samples. The provider (cgi-test/stub) is started on port 9900, which has to be free.
"""
import io, json, lzma, os, random, shutil, subprocess, sys, tarfile, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import *
import harness
from harness import Postgres, Stub
from questions import questions

DATA_DIR = '/tmp/webui-changeover-sample'       # stored file rows have this path in them
PASSWORDS = {'admin': 'Ada-Pass-1', 'ann': 'päßword-für-Ann 🔑', 'ben': 'b' * 71 + '!', 'pia': 'Pia-Pass-1'}
NAMES = {'admin': 'Ada Admin', 'ann': 'Ann Ångström', 'ben': 'Ben 🦊', 'pia': 'Pia'}
PICTURE = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
FILTER = '''"""
title: Polite filter
author: sample
version: 0.1
"""
from pydantic import BaseModel, Field


class Filter:
    class Valves(BaseModel):
        priority: int = Field(default=0, description="Order")
        words: str = "please"

    class UserValves(BaseModel):
        enabled: bool = True

    def __init__(self):
        self.valves = self.Valves()

    def inlet(self, body: dict, __user__: dict = None) -> dict:
        return body
'''
ACTION = '''"""
title: Shout
"""


class Action:
    async def action(self, body: dict) -> dict:
        return {"content": "!"}
'''
PIPE = 'class Pipe:\n    def pipe(self, body: dict) -> str:\n        return "piped"\n'
TOOL = '''"""
title: Adder
author: sample
description: Adds – numbers
"""
from pydantic import BaseModel


class Tools:
    class Valves(BaseModel):
        limit: int = 10

    class UserValves(BaseModel):
        loud: bool = False

    def __init__(self):
        self.valves = self.Valves()

    def add(self, a: int, b: int) -> str:
        """
        Adds two numbers.
        :param a: The first
        :param b: The second
        """
        return str(a + b)
'''


class Person:
    """Requests that must succeed. What makes or changes something comes a second after the last: lists are in the order of time, in
    seconds, and within one of them in none."""

    def __init__(self, url, token):
        self.client = Client(url, token)

    def __getattr__(self, method):
        def call(path, body=None, **more):
            if method == 'post':
                time.sleep(1.02 - time.time() % 1)      # at the beginning of the next second
            r = getattr(self.client, method)(path, body, **more) if method == 'post' else getattr(self.client, method)(path, **more)
            if r.status != 200:
                raise SystemExit(f'{method.upper()} {path}: {r}')
            return r.json()
        return call


class Life:
    """Fills a fresh installation through its API, as people do."""

    def __init__(self, url, random_seed=7):
        self.url, self.random = url, random.Random(random_seed)
        self.anyone = Person(url, None)
        self.ids, self.tokens = {}, {}

    def signin(self, who):
        return self.anyone.post('/api/v1/auths/signin', {'email': f'{who}@sample.test', 'password': PASSWORDS[who]})['token']

    def admin_config(self, **change):
        self.admin.post('/api/v1/auths/admin/config', {**self.admin.get('/api/v1/auths/admin/config'), **change})

    def people(self):
        made = self.anyone.post('/api/v1/auths/signup', {'name': NAMES['admin'], 'email': 'admin@sample.test', 'password': PASSWORDS['admin'],
                'profile_image_url': '/user.png'})
        self.ids['admin'], self.tokens['admin'] = made['id'], made['token']
        self.admin = Person(self.url, made['token'])
        for who, role, picture in (('ann', 'user', PICTURE), ('ben', 'user', '/user.png')):
            self.ids[who] = self.admin.post('/api/v1/auths/add', {'name': NAMES[who], 'email': f'{who}@sample.test', 'password': PASSWORDS[who],
                    'role': role,
                                                                  'profile_image_url': picture})['id']
            self.tokens[who] = self.signin(who)
        self.admin_config(ENABLE_SIGNUP=True)       # the first sign-up turns it off
        made = self.anyone.post('/api/v1/auths/signup', {'name': NAMES['pia'], 'email': 'pia@sample.test', 'password': PASSWORDS['pia'],
                'profile_image_url': '/user.png'})
        self.ids['pia'], self.tokens['pia'] = made['id'], made['token']
        self.ann, self.ben = Person(self.url, self.tokens['ann']), Person(self.url, self.tokens['ben'])
        for who, length in (('ann-exp', '2000w'), ('ann-old', '-300w')):
            self.admin_config(JWT_EXPIRES_IN=length)
            self.tokens[who] = self.signin('ann')
        self.admin_config(JWT_EXPIRES_IN='-1', ENABLE_API_KEY=True, PENDING_USER_OVERLAY_TITLE='Geduld …', RESPONSE_WATERMARK='Ohne Gewähr 🤖')
        self.tokens['ann-key'] = self.ann.post('/api/v1/auths/api_key')['api_key']
        self.tokens['admin-key'] = self.admin.post('/api/v1/auths/api_key')['api_key']
        self.ann.post('/api/v1/auths/update/profile', {'name': NAMES['ann'], 'profile_image_url': PICTURE, 'bio': 'Mag Käse 🧀\nund "Zitate"',
                'gender': 'female', 'date_of_birth': '1990-02-28'})
        self.ann.post('/api/v1/users/user/settings/update', {'ui': {'theme': 'dark', 'models': ['stub-small'], 'pinnedModels': ['stub-small'],
                'params': {'temperature': 0.25, 'top_k': None},
                                                                    'system': 'Kurz. Ünïcode 漢字', 'notificationSound': False, 'memory': True,
                                                                            'version': '0.6.32'}, 'extra': {'deep': [1, 2.5, None]}})
        self.ann.post('/api/v1/users/user/info/update', {'location': 'Köln', 'n': 1})
        self.ben.post('/api/v1/users/user/settings/update', {'ui': {}})

    def groups(self):
        self.ids['group'] = self.admin.post('/api/v1/groups/create', {'name': 'Schreiber ✍️', 'description': 'Who writes', 'permissions': {
            'workspace': {'models': True, 'knowledge': True, 'prompts': True, 'tools': False}, 'chat': {'delete': False}}})['id']
        group = self.admin.get(f'/api/v1/groups/id/{self.ids["group"]}')
        self.admin.post(f'/api/v1/groups/id/{group["id"]}/update', {'name': group['name'], 'description': group['description'],
                'permissions': group['permissions'],
                                                                   'user_ids': [self.ids['ann']]})
        self.ids['empty_group'] = self.admin.post('/api/v1/groups/create', {'name': 'Leer', 'description': ''})['id']

    def read_by(self, who, group=False):
        rights = {'user_ids': [self.ids[who]] if who else [], 'group_ids': [self.ids['group']] if group else []}
        return {'read': rights, 'write': {'user_ids': [], 'group_ids': []}}

    def text(self, length):
        words = 'Käse Brücke 漢字 🦊 river \\ "said" <b>bold</b> naïve tea\tmoon $x^2$ `code` line\n λόγος слово ﷽ e\u0301 \u2028 end'.split(' ')
        out, n = [], 0
        while n < length:
            out.append(self.random.choice(words) if self.random.random() < 0.5 else format(self.random.getrandbits(20), 'x'))
            n += len(out[-1]) + 1
        return ' '.join(out)

    def messages(self, turns, branch_at=None, words=20, files=None):
        """A chat as the frontend keeps it: turns of question and answer; at branch_at the question has a second answer."""
        uid, out, parent, plain = lambda: '%08x-%04x-4%03x-a%03x-%012x' % tuple(self.random.getrandbits(n)
                for n in (32, 16, 12, 12, 48)), {}, None, []
        for i in range(turns):
            q, answers_ = uid(), [uid() for _ in range(2 if i == branch_at else 1)]
            out[q] = {'id': q, 'parentId': parent, 'childrenIds': answers_, 'role': 'user', 'content': f'Frage {i}: {self.text(words)}',
                    'timestamp': 1700000000 + i, 'models': ['stub-small']}
            if files and i == 0:
                out[q]['files'] = files
            if parent:
                out[parent]['childrenIds'].append(q)
            for a in answers_:
                out[a] = {'id': a, 'parentId': q, 'childrenIds': [], 'role': 'assistant', 'content': f'Antwort {i}: {self.text(words)}',
                        'model': 'stub-small', 'modelName': 'stub-small',
                          'modelIdx': 0, 'timestamp': 1700000001 + i, 'done': True, 'usage': {'prompt_tokens': 3, 'total_tokens': 1e3, 'rate': 0.5},
                                  'annotation': {'rating': 1} if i == 0 else None}
            plain += [out[q], out[answers_[-1]]]
            parent = answers_[-1]
        return {'history': {'messages': out, 'currentId': parent}, 'messages': plain}

    def chat(self, who, title, turns=2, **more):
        body = {'id': '', 'title': title, 'models': ['stub-small'], 'params': {}, 'tags': [], 'timestamp': 1700000000000,
                **self.messages(turns, **more)}
        if more.get('files'):
            body['files'] = more['files']
        return who.post('/api/v1/chats/new', {'chat': body, 'folder_id': None})['id']

    def ask(self, who, chat_id, model, text):
        """What the frontend does when somebody asks: the question is saved, the model is called, the answer ends up in the chat."""
        q, a = (f'{self.random.getrandbits(64):016x}' for _ in 'qa')
        chat = who.get(f'/api/v1/chats/{chat_id}')['chat']
        leaf, messages = chat['history'].get('currentId'), chat['history']['messages']
        messages[q] = {'id': q, 'parentId': leaf, 'childrenIds': [a], 'role': 'user', 'content': text, 'timestamp': int(time.time()),
                'models': [model]}
        messages[a] = {'id': a, 'parentId': q, 'childrenIds': [], 'role': 'assistant', 'content': '', 'model': model, 'modelName': model,
                'modelIdx': 0, 'timestamp': int(time.time())}
        if leaf:
            messages[leaf]['childrenIds'].append(q)
        chat['history']['currentId'] = a
        who.post(f'/api/v1/chats/{chat_id}', {'chat': chat})
        who.post('/api/chat/completions', {'model': model, 'stream': True, 'messages': [{'role': 'user', 'content': text}], 'chat_id': chat_id,
                'id': a, 'session_id': 'tab-1',
                                           'background_tasks': {'title_generation': True, 'tags_generation': True, 'follow_up_generation': True}})
        for _ in range(100):
            if not who.get(f'/api/tasks/chat/{chat_id}')['task_ids']:
                chat = who.get(f'/api/v1/chats/{chat_id}')['chat']
                check(chat['history']['messages'][a]['content'], 'the answer is empty')
                chat['history']['messages'][a]['done'] = True       # this the frontend adds
                who.post(f'/api/v1/chats/{chat_id}', {'chat': {'history': chat['history'],
                        'messages': [m for m in chat['history']['messages'].values()]}})
                return
            time.sleep(0.2)
        raise SystemExit('the chat was not answered')

    def file(self):
        r = self.ann.client.upload('/api/v1/files/?process_in_background=false', 'Schiffe ⛵.txt',
                'Sieben Schiffe fuhren aus.\nDer Wärter zählte sie.'.encode())
        check(r.status == 200, repr(r))
        self.ids['file'] = r.json()['id']
        self.ids['knowledge'] = self.ann.post('/api/v1/knowledge/create',
                {'name': 'See 🌊', 'description': 'Alles vom Meer', 'access_control': self.read_by('ben')})['id']
        self.ann.post(f'/api/v1/knowledge/{self.ids["knowledge"]}/file/add', {'file_id': self.ids['file']})

    def chats(self):
        ids, ann, ben = self.ids, self.ann, self.ben
        ids['plain'] = self.chat(ann, 'Käse & Wein 🧀🍷', 3)
        ids['branches'] = self.chat(ann, 'Zwei Antworten', 4, branch_at=1)
        ids['big'] = self.chat(ann, 'Sehr lang', 40, words=1800)
        ids['archived'] = self.chat(ann, 'Abgelegt')
        ann.post(f'/api/v1/chats/{ids["archived"]}/archive')
        ids['pinned'] = self.chat(ann, 'Angeheftet 📌')
        ann.post(f'/api/v1/chats/{ids["pinned"]}/pin')
        ids['tagged'] = self.chat(ann, 'Mit "Schlagworten"')
        for tag in ('Küche', 'two words', '日本'):
            ann.post(f'/api/v1/chats/{ids["tagged"]}/tags', {'name': tag})
        ids['shared'] = self.chat(ann, 'Geteilt')
        ids['share'] = ann.post(f'/api/v1/chats/{ids["shared"]}/share')['id']
        ids['cloned'] = ben.post(f'/api/v1/chats/{ids["share"]}/clone/shared')['id']
        ids['files'] = self.chat(ann, 'Mit Datei', 1, files=[{'type': 'file', 'id': ids['file'], 'name': 'Schiffe ⛵.txt', 'status': 'uploaded',
                'size': 51, 'file': {'id': ids['file'], 'meta': {'content_type': 'text/plain'}}},
                                                             {'type': 'collection', 'id': ids['knowledge'], 'name': 'See 🌊'},
                                                                     {'type': 'image', 'url': PICTURE}])
        ids['old'] = ann.post('/api/v1/chats/import', {'chat': {'title': 'Von früher',
                'messages': [{'role': 'user', 'content': 'hi'}, {'role': 'assistant', 'content': 'ho'}]},
                                                       'meta': {'tags': ['früher'], 'imported': True}, 'pinned': False, 'folder_id': None,
                                                               'created_at': 1600000000, 'updated_at': 1600000001})['id']
        ids['empty'] = ann.post('/api/v1/chats/new', {'chat': {'title': '', 'history': {'messages': {}, 'currentId': None}, 'messages': []}})['id']
        ids['bens'] = self.chat(ben, 'Ben allein')
        ids['work'] = ann.post('/api/v1/folders/', {'name': 'Arbeit 💼',
                'data': {'system_prompt': 'Sei höflich.', 'files': [{'type': 'collection', 'id': ids['knowledge'], 'name': 'See 🌊'}],
                                                                                'model_ids': ['stub-small']}, 'meta': {'icon': 'briefcase'}})['id']
        ids['sub'] = ann.post('/api/v1/folders/', {'name': 'Unterordner'})['id']
        ann.post(f'/api/v1/folders/{ids["sub"]}/update/parent', {'parent_id': ids['work']})
        ann.post(f'/api/v1/folders/{ids["work"]}/update/expanded', {'is_expanded': True})
        ids['in_folder'] = self.chat(ann, 'Im Ordner')
        ann.post(f'/api/v1/chats/{ids["in_folder"]}/folder', {'folder_id': ids['work']})
        ids['asked'] = ann.post('/api/v1/chats/new', {'chat': {'title': 'New Chat', 'models': ['stub-small'],
                'history': {'messages': {}, 'currentId': None}, 'messages': []}})['id']
        self.ask(ann, ids['asked'], 'stub-small', 'Was ist das?')
        self.ask(ann, ids['asked'], 'nulls', 'Und warum?')

    def workspace(self):
        admin, ids = self.admin, self.ids
        for command, title, content, access in (('/hallo', 'Hallo', 'Sag {{NAME | text:required}} – „hallo“ 👋', None), ('/geheim', 'Geheim', 'x', {}),
                                                ('/gruppe', 'Gruppe', '{{CLIPBOARD}}\n{{CURRENT_DATE}}', self.read_by('ben', True))):
            admin.post('/api/v1/prompts/create', {'command': command, 'title': title, 'content': content, 'access_control': access})
        self.ann.post('/api/v1/prompts/create', {'command': '/ann', 'title': 'Anns', 'content': 'Ä', 'access_control': {}})
        for model in ({'id': 'koch', 'base_model_id': 'stub-small', 'name': 'Koch 👩‍🍳',
                'meta': {'profile_image_url': PICTURE, 'description': 'Kocht – gut', 'capabilities': {'vision': False, 'usage': True},
                       'suggestion_prompts': [{'content': 'Was koche ich?'}], 'tags': [{'name': 'essen'}],
                               'knowledge': [{'id': ids['knowledge'], 'name': 'See 🌊', 'type': 'collection'}], 'toolIds': ['adder']},
                       'params': {'system': 'Du bist Köchin.', 'temperature': 0.5, 'stop': ['END'], 'top_p': None},
                               'access_control': self.read_by('ann')},
                      {'id': 'nulls', 'base_model_id': 'stub-large', 'name': 'Nulls',
                              'meta': {'profile_image_url': None, 'description': None, 'capabilities': None, 'suggestion_prompts': None,
                              'tags': None},
                       'params': {}, 'access_control': None},
                      {'id': 'bare', 'base_model_id': 'stub-large', 'name': 'Bare', 'meta': {}, 'params': {}, 'access_control': {}},
                      {'id': 'off', 'base_model_id': 'stub-small', 'name': 'Off', 'meta': {}, 'params': {}, 'access_control': {}, 'is_active': False},
                      {'id': 'gone', 'base_model_id': 'not-there-any-more', 'name': 'Base is gone', 'meta': {}, 'params': {'custom_params': {'x': 1}},
                              'access_control': None},
                      {'id': 'stub-small', 'base_model_id': None, 'name': 'Klein', 'meta': {'description': 'Override of a base model'},
                              'params': {'temperature': 1}, 'access_control': None},
                      {'id': 'stub-slow', 'base_model_id': None, 'name': 'stub-slow', 'meta': {'hidden': True}, 'params': {}, 'access_control': None,
                              'is_active': False}):
            admin.post('/api/v1/models/create', model)
        self.ann.post('/api/v1/models/create', {'id': 'anns', 'base_model_id': 'stub-small', 'name': 'Anns', 'meta': {'description': ''},
                'params': {}, 'access_control': {}})
        ids['note'] = self.ann.post('/api/v1/notes/create', {'title': 'Einkauf 🛒',
                'data': {'content': {'md': '- Käse\n- Öl', 'html': '<ul><li>Käse</li></ul>', 'json': None}, 'versions': []}, 'meta': None,
                                                            'access_control': self.read_by('ben')})['id']
        ids['private_note'] = self.ann.post('/api/v1/notes/create', {'title': '2026-01-01', 'data': {'content': {'md': ''}},
                'access_control': {}})['id']
        admin.post('/api/v1/tools/create', {'id': 'adder', 'name': 'Adder', 'content': TOOL, 'meta': {'description': 'Adds', 'manifest': {}},
                'access_control': None})
        admin.post('/api/v1/tools/id/adder/valves/update', {'limit': 7})
        self.ann.post('/api/v1/tools/id/adder/valves/user/update', {'loud': True})
        for id, name, code in (('polite', 'Polite', FILTER), ('shout', 'Shout', ACTION), ('piper', 'Piper', PIPE)):
            admin.post('/api/v1/functions/create', {'id': id, 'name': name, 'content': code, 'meta': {'description': f'{name} – ä', 'manifest': {}}})
        admin.post('/api/v1/functions/id/polite/valves/update', {'priority': 3, 'words': 'bitte'})
        self.ann.post('/api/v1/functions/id/polite/valves/user/update', {'enabled': False})

    def talk(self):
        admin, ann, ben, ids = self.admin, self.ann, self.ben, self.ids
        ids['channel'] = admin.post('/api/v1/channels/create', {'name': 'allgemein', 'description': 'Für alle', 'access_control': None})['id']
        ids['closed'] = admin.post('/api/v1/channels/create', {'name': 'geschlossen', 'access_control': self.read_by('ann')})['id']
        path = f'/api/v1/channels/{ids["channel"]}/messages'
        ids['message'] = ann.post(path + '/post', {'content': 'Guten Tag 👋 **alle**'})['id']
        time.sleep(0.01)
        ids['reply'] = ben.post(path + '/post', {'content': 'Tach', 'reply_to_id': ids['message'], 'data': {'files': []}, 'meta': {'x': 1}})['id']
        ben.post(path + '/post', {'content': 'Im Faden', 'parent_id': ids['message']})
        for who, name in ((ann, 'thumbs_up'), (ben, 'thumbs_up'), (ben, 'fox')):
            who.post(f'{path}/{ids["message"]}/reactions/add', {'name': name})
        for text in ('Meine Katze heißt Ferdinand', 'Ich mag Käse 🧀'):
            ann.post('/api/v1/memories/add', {'content': text})
            time.sleep(1.1)
        chat = ann.get(f'/api/v1/chats/{ids["plain"]}')
        ids['feedback'] = ann.post('/api/v1/evaluations/feedback', {'type': 'rating',
                'data': {'rating': 1, 'model_id': 'stub-small', 'sibling_model_ids': None, 'reason': 'accurate_information', 'comment': 'Gut 👍',
                'tags': ['a']},
                                                                   'meta': {'arena': False, 'chat_id': ids['plain'], 'message_index': 1},
                                                                           'snapshot': {'chat': chat}})['id']
        time.sleep(1.1)
        ben.post('/api/v1/evaluations/feedback', {'type': 'rating', 'data': {'rating': -1, 'model_id': 'stub-large'}, 'meta': {}, 'snapshot': None})

    def settings(self):
        admin = self.admin
        admin.post('/api/v1/configs/connections', {'ENABLE_DIRECT_CONNECTIONS': True, 'ENABLE_BASE_MODELS_CACHE': False})
        admin.post('/openai/config/update', {'ENABLE_OPENAI_API': True, 'OPENAI_API_BASE_URLS': [f'http://{STUB_WAS}/v1', f'http://{STUB_WAS}/v1'],
                'OPENAI_API_KEYS': ['sk-stub', 'sk-second'],
                                             'OPENAI_API_CONFIGS': {'0': {'enable': True, 'tags': [], 'prefix_id': '', 'model_ids': [],
                                                     'connection_type': 'external', 'auth_type': 'bearer'},
                                                                    '1': {'enable': True, 'prefix_id': 'zwei', 'model_ids': ['stub-large'],
                                                                            'connection_type': 'local', 'tags': [{'name': 'second'}]}}})
        admin.post('/ollama/config/update', {'ENABLE_OLLAMA_API': True, 'OLLAMA_BASE_URLS': [f'http://{STUB_WAS}'],
                'OLLAMA_API_CONFIGS': {'0': {'enable': True, 'connection_type': 'local'}}})
        admin.post('/api/v1/configs/models', {'DEFAULT_MODELS': 'stub-small', 'MODEL_ORDER_LIST': ['koch', 'stub-large']})
        admin.post('/api/v1/configs/suggestions', {'suggestions': [{'title': ['Hilf mir', 'beim Kochen'], 'content': 'Was esse ich heute? 🍲'}]})
        admin.post('/api/v1/configs/banners', {'banners': [{'id': 'b1', 'type': 'info', 'title': 'Hinweis', 'content': 'Wartung am **Freitag** ⚠️',
                'dismissible': True, 'timestamp': 1700000000}]})
        tasks = admin.get('/api/v1/tasks/config')
        admin.post('/api/v1/tasks/config/update', {**tasks, 'TASK_MODEL': 'stub-small', 'ENABLE_AUTOCOMPLETE_GENERATION': False,
                'ENABLE_TAGS_GENERATION': True, 'TITLE_GENERATION_PROMPT_TEMPLATE': 'Titel für {{MESSAGES:END:2}} als JSON 🏷️'})
        admin.post('/api/v1/evaluations/config', {'ENABLE_EVALUATION_ARENA_MODELS': False, 'EVALUATION_ARENA_MODELS': []})
        rights = admin.get('/api/v1/users/default/permissions')
        rights['chat']['temporary'] = False
        rights['features']['notes'] = True
        admin.post('/api/v1/users/default/permissions', rights)
        admin.post('/api/webhook', {'url': ''})

    def all(self):
        self.people()
        self.groups()
        self.settings()
        self.admin.get('/api/models?refresh=true')
        self.file()
        self.workspace()
        self.admin.get('/api/models')          # makes the new models known
        self.chats()
        self.talk()


def pack(folder, name, tree, leave=()):
    """A compressed archive of the files below tree, the same for the same files."""
    with lzma.open(os.path.join(folder, name), 'wb', preset=9) as out, tarfile.open(fileobj=out, mode='w') as tar:
        for base, folders, files in os.walk(tree):
            folders[:] = sorted(f for f in folders if os.path.relpath(os.path.join(base, f), tree) not in leave)
            for f in sorted(files):
                path = os.path.join(base, f)
                relative = os.path.relpath(path, tree)
                if relative in leave:
                    continue
                info = tar.gettarinfo(path, relative)
                info.uid = info.gid = 0
                info.uname = info.gname = 'root'
                with open(path, 'rb') as content:
                    tar.addfile(info, content)


def write(folder, name, value):
    text = json.dumps(value, ensure_ascii=False, indent=None if name.endswith('.xz') else 1) + '\n'
    with (lzma.open(os.path.join(folder, name), 'wb', preset=9) if name.endswith('.xz') else open(os.path.join(folder, name), 'wb')) as f:
        f.write(text.encode())


def make(database, stub):
    print(f'{database}: the Python backend is started', flush=True)
    folder = sample_folder(database)
    shutil.rmtree(DATA_DIR, ignore_errors=True)
    os.makedirs(DATA_DIR)
    os.makedirs(folder, exist_ok=True)
    postgres = Postgres() if database == 'postgres' else None
    url = postgres.create() if postgres else None
    with Reference(DATA_DIR, stub, url) as reference:
        life = Life(reference.url)
        life.all()
    keep_database(folder, url)
    # Started afresh, so that the answers are of what was stored; after it was kept, as reading the list of folders writes to them.
    with Reference(DATA_DIR, stub, url) as reference:
        for token in (life.tokens[w] for w in ('admin', 'ann', 'ben')):
            Client(reference.url, token).get('/api/models')
        asked = questions(life.ids)
        for q in asked:
            q['status'], q['answer'] = ask(reference.url, life.tokens.get(q['as']), q['method'], q['path'], q.get('body'))
    if postgres:
        postgres.stop()
    write(folder, 'people.json', {'tokens': life.tokens, 'passwords': PASSWORDS, 'names': NAMES, 'ids': life.ids})
    write(folder, 'answers.json.xz', asked)
    shutil.rmtree(DATA_DIR)
    print(f'{database}: {len(asked)} answers, {sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder)) // 1024} KB in {folder}',
            flush=True)


def keep_database(folder, url):
    if url:
        dump = subprocess.run([tool('pg_dump', '/usr/lib/postgresql/*/bin'), '--no-owner', '--no-privileges', url], stdout=subprocess.PIPE,
                check=True).stdout
        with lzma.open(os.path.join(folder, 'webui.sql.xz'), 'wb', preset=9) as f:
            f.write(dump)
    pack(folder, 'data.tar.xz', DATA_DIR, ('cache', 'vector_db', '.cache') + (('webui.db',) if url else ()))


def main():
    harness.free_port, free = (lambda: 9900), harness.free_port
    stub = Stub()
    harness.free_port = free
    with stub:
        for database in sys.argv[1:] or ('sqlite', 'postgres'):
            make(database, stub)


if __name__ == '__main__':
    main()
