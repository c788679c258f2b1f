#!/usr/bin/env python3
"""Files, knowledge, notes, other chats, memories and the web in a chat: what the model is told, what the message keeps, and whose things may be used."""
import contextlib, http.server, json, os, sys, threading, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import check, equal, main, test
from providers import JSON, Dead, Fake, form
from tabs import Tab, new_chat

SHIPS = 'The lighthouse keeper counts seven ships.'
CONFIG = '/api/v1/retrieval/config'


@contextlib.contextmanager
def retrieval(s, **changes):
    admin = s.admin()
    was = admin.get(CONFIG).json()
    keep = {k: (was.get('web') or {}).get(k) if k == 'web' else was.get(k) for k in changes}
    if 'web' in changes:
        keep['web'] = {k: was['web'].get(k) for k in changes['web']}
    equal(admin.post(CONFIG + '/update', changes).status, 200)
    try:
        yield
    finally:
        equal(admin.post(CONFIG + '/update', keep).status, 200)


def open_models(s):
    for id in ('stub-small', 'stub-echo'):
        s.admin().post('/api/v1/models/create', {**form(id), 'base_model_id': None, 'access_control': None})
    s.admin().get('/api/models?refresh=true')


def upload(who, name, text):
    r = who.upload('/api/v1/files/?process_in_background=false', name, text.encode())
    equal(r.status, 200, str(r))
    return r.json()['id']


def knowledge(who, name, *files, access=None):
    r = who.post('/api/v1/knowledge/create', {'name': name, 'description': name, 'access_control': {} if access is None else access})
    equal(r.status, 200, r)
    for f in files:
        equal(who.post(f'/api/v1/knowledge/{r.json()["id"]}/file/add', {'file_id': f}).status, 200)
    return r.json()['id']


def complete(who, files, prompt='How many ships?', model='stub-echo', **more):
    """(what the model was told last, sources) of a request without a chat."""
    r = who.post('/api/chat/completions', {'model': model, 'messages': [{'role': 'user', 'content': prompt}], 'files': files, **more})
    equal(r.status, 200, str(r))
    return r.json()['choices'][0]['message']['content'], r.json().get('sources')


def file(id, **more):
    return {'type': 'file', 'id': id, 'name': 'f.txt', **more}


def documents(sources):
    return sorted(d for source in sources or [] for d in source['document'])


# ---------------------------------------------------------------- one's own things

@test('files: searched, read whole, and as texts')
def _(s):
    open_models(s)
    ann = s.user('ann')
    id = upload(ann, 'light.txt', SHIPS)
    for item in (file(id), file(id, context='full'), {'type': 'text', 'name': 'n', 'id': 'n', 'content': SHIPS, 'context': 'full'},
                 {'type': 'text', 'context': 'full', 'file': {'data': {'content': SHIPS}, 'meta': {'name': 'g.txt'}}}):
        told, sources = complete(ann, [item])
        check(SHIPS in told and told.rstrip().endswith('How many ships?') and '<source id="1"' in told, f'{item}: {told}')
        equal(documents(sources), [SHIPS] if item.get('name') else [], str(item))     # what has no name is not shown
    told, sources = complete(ann, [file(id), file(id)])
    equal(len(sources), 1, 'the same file twice')


@test('files: in a chat, the message keeps sources and what was done')
def _(s):
    open_models(s)
    ann = s.user('ann')
    id = upload(ann, 'light.txt', SHIPS)
    with Tab(ann) as tab:
        saved = tab.ask('stub-small', 'How many ships?', files=[file(id)]).wait().saved()
        equal(documents(saved['sources']), [SHIPS])
        equal([x['action'] for x in saved['statusHistory']], ['queries_generated', 'sources_retrieved'])
        saved = tab.ask('stub-small', 'How many ships?', files=[file(id, context='full')]).wait().saved()
        equal([x['action'] for x in saved['statusHistory']], ['sources_retrieved'])


@test('files: a note, another chat, a collection')
def _(s):
    open_models(s)
    ann = s.user('ann')
    chat, _ = new_chat(ann, prompt='Owls wake at night')
    told, sources = complete(ann, [{'type': 'chat', 'id': chat}])
    check('Owls wake at night' in told and len(sources) == 1, told)
    note = ann.post('/api/v1/notes/create', {'title': 'Birds', 'data': {'content': {'md': 'Cranes fly far'}}}).json()['id']
    check('Cranes fly far' in complete(ann, [{'type': 'note', 'id': note}])[0])
    admin = s.admin()
    base = knowledge(admin, 'Sea', upload(admin, 'a.txt', SHIPS), upload(admin, 'b.txt', 'Bread needs flour.'))
    told, sources = complete(admin, [{'type': 'collection', 'id': base, 'name': 'Sea'}], 'flour bread')
    check('Bread needs flour.' in told, told)
    equal(documents(complete(admin, [{'type': 'collection', 'id': base, 'name': 'Sea', 'context': 'full'}])[1]), ['Bread needs flour.', SHIPS])


@test("files: a folder's files and system prompt")
def _(s):
    open_models(s)
    ann = s.user('ann')
    id = upload(ann, 'light.txt', SHIPS)
    folder = ann.post('/api/v1/folders/', {'name': 'F', 'data': {'system_prompt': 'Be brief.', 'files': [file(id)]}}).json()['id']
    with Tab(ann) as tab:
        s.stub.log()
        a = tab.ask('stub-small')           # makes the chat
        a.wait()
        equal(ann.post(f'/api/v1/chats/{a.chat}/folder', {'folder_id': folder}).status, 200)
        r = ann.post('/api/chat/completions', {'stream': True, 'model': 'stub-small', 'messages': [{'role': 'user', 'content': 'How many ships?'}], 'session_id': tab.io.get_sid(), 'chat_id': a.chat, 'id': a.id})
        equal(r.status, 200)
        a.until(lambda: a.saved().get('sources'), 10)
        equal(documents(a.saved()['sources']), [SHIPS])


@test('files: nothing is there: the chat goes on')
def _(s):
    open_models(s)
    ann = s.user('ann')
    for item in (file('gone'), file('gone', context='full'), {'type': 'collection', 'id': 'gone'}, {'type': 'note', 'id': 'gone'}, {'type': 'chat', 'id': 'gone'}, {'collection_name': 'gone'}, {'type': 'odd'}, 'x', 5, None):
        told, sources = complete(ann, [item])
        equal((told, documents(sources)), ('How many ships?', []), str(item))
    for files in ([], None, 'x', 7, {}):
        equal(complete(ann, files)[0], 'How many ships?', str(files))


@test('files: the embedding server is away, or hangs: the chat goes on without')
def _(s):
    open_models(s)
    ann, admin = s.user('ann'), s.admin()
    id = upload(ann, 'light.txt', SHIPS)
    was = admin.get('/api/v1/retrieval/embedding').json()
    change = lambda url: admin.post('/api/v1/retrieval/embedding/update', {**was, 'openai_config': {'url': url, 'key': 'k'}})
    try:
        equal(change('http://127.0.0.1:9').status, 200)
        equal(complete(ann, [file(id)])[0], 'How many ships?')
    finally:
        equal(admin.post('/api/v1/retrieval/embedding/update', was).status, 200)


# ---------------------------------------------------------------- whose things

@test("files: other people's things are not used")
def _(s):
    open_models(s)
    ann, bob = s.user('ann'), s.user('bob')
    id = upload(ann, 'secret.txt', SHIPS)
    chat, _ = new_chat(ann, prompt=SHIPS)
    note = ann.post('/api/v1/notes/create', {'title': 'N', 'data': {'content': {'md': SHIPS}}, 'access_control': {}}).json()['id']
    admin = s.admin()
    mine = upload(admin, 'mine.txt', SHIPS)
    base = knowledge(admin, 'Closed', mine)
    equal(ann.post('/api/v1/memories/add', {'content': SHIPS}).status, 200)
    for item in (file(id), file(id, context='full'), file(id, legacy=True), file(f'file-{id}', legacy=True), {'type': 'chat', 'id': chat}, {'type': 'note', 'id': note},
                 {'type': 'collection', 'id': base}, {'type': 'collection', 'id': base, 'context': 'full'}, {'type': 'collection', 'collection_names': [base, f'file-{id}'], 'legacy': True},
                 {'collection_name': f'file-{id}'}, {'collection_name': base}, {'collection_names': [f'user-memory-{ann.id}', base]}, {'type': 'text', 'collection_name': f'file-{id}'},
                 {'collection_name': f'user-memory-{ann.id}'}):
        told, sources = complete(bob, [item])
        check(SHIPS not in told and SHIPS not in json.dumps(sources or []), f'{item}: {told}')
    with Tab(bob) as tab:
        a = tab.ask('stub-echo', 'How many ships?', files=[file(id), {'type': 'collection', 'id': base}]).wait()
        check(SHIPS not in a.content and not a.saved().get('sources'), a.content)


@test("knowledge of a model: its users reach it through the model, and not beside it")
def _(s):
    open_models(s)
    admin, bob = s.admin(), s.user('bob')
    base = knowledge(admin, 'Sea', upload(admin, 'sea.txt', SHIPS))
    item = {'type': 'collection', 'id': base, 'name': 'Sea'}
    r = admin.post('/api/v1/models/create', {'id': 'knows', 'name': 'Knows', 'base_model_id': 'stub-echo', 'meta': {'description': '', 'knowledge': [item]}, 'params': {}, 'access_control': None})
    equal(r.status, 200, r)
    admin.get('/api/models?refresh=true')
    try:
        told, sources = complete(bob, None, 'seven ships', 'knows')
        check(SHIPS in told and documents(sources) == [SHIPS], told)
        check(SHIPS not in complete(bob, [item], 'seven ships')[0], 'beside it')
        with Tab(bob) as tab:
            saved = tab.ask('knows', 'seven ships').wait().saved()
            equal([(x['action'], x['done'], x.get('hidden')) for x in saved['statusHistory'] if x['action'] == 'knowledge_search'],
                  [('knowledge_search', False, None), ('knowledge_search', True, True)])
    finally:
        admin.delete('/api/v1/models/model/delete?id=knows')


@test('knowledge: what a browser says of a direct model gives no rights')
def _(s):
    admin, bob = s.admin(), s.user('bob')
    base = knowledge(admin, 'Sea', upload(admin, 'sea.txt', SHIPS))
    was = admin.get('/api/v1/configs/connections').json()
    admin.post('/api/v1/configs/connections', {**was, 'ENABLE_DIRECT_CONNECTIONS': True})
    try:
        asked = []

        class Browser(Tab):
            def keep(self, data=None):
                super().keep(data)
                event = (data or {}).get('data') or {}
                if event.get('type') == 'request:chat:completion':
                    asked.append(event['data']['form_data'])
                    return {'choices': [{'message': {'role': 'assistant', 'content': '{"queries": ["ships"]}'}}]}
        with Browser(bob) as tab:
            r = bob.post('/api/chat/completions', {'model': 'd', 'model_item': {'id': 'd', 'direct': True, 'info': {'meta': {'knowledge': [{'type': 'collection', 'id': base}]}}},
                                                   'messages': [{'role': 'user', 'content': 'ships'}], 'session_id': tab.io.get_sid()})
            equal(r.status, 200, r)
            check(SHIPS not in json.dumps(asked), asked)
    finally:
        admin.post('/api/v1/configs/connections', was)


# ---------------------------------------------------------------- memories

@test('memories: those of the user are told to the model')
def _(s):
    open_models(s)
    ann = s.user('carl')
    equal(ann.post('/api/v1/memories/add', {'content': 'I keep seven owls'}).status, 200)
    equal(s.user('dora').post('/api/v1/memories/add', {'content': 'I keep nine owls'}).status, 200)
    s.stub.log()
    told, _ = complete(ann, None, 'How many owls?', features={'memory': True})
    system = [m for m in next(x for x in reversed(s.stub.log()) if x['path'] == '/v1/chat/completions')['body']['messages'] if m['role'] == 'system'][0]['content']
    check('I keep seven owls' in system and system.startswith('User Context:\n1. [20') and 'nine' not in system, system)


# ---------------------------------------------------------------- the web

class Any(dict):
    """The same answer to every question."""

    def get(self, key, default=None):
        return self['any']


def engine(*links):
    return Fake(Any(any=(200, JSON, json.dumps({'results': [{'url': x, 'title': 'T', 'content': 'C', 'score': 1} for x in links]}))))


@test('web: searched, the pages are sources; what happens is told')
def _(s):
    open_models(s)
    ann = s.user('ann')
    page = s.stub.url + '/page.html'
    with engine(page) as fake, retrieval(s, web={'ENABLE_WEB_SEARCH': True, 'WEB_SEARCH_ENGINE': 'searxng', 'SEARXNG_QUERY_URL': fake.url + '/search?q=<query>'}):
        with Tab(ann) as tab:
            saved = tab.ask('stub-echo', 'seven ships', features={'web_search': True}).wait(30).saved()
            equal([x.get('action') for x in saved['statusHistory']], ['web_search', 'web_search_queries_generated', 'web_search', 'queries_generated', 'sources_retrieved'], str(saved['statusHistory']))
            found = saved['statusHistory'][2]
            equal((found['urls'], found['items'][0]['link'], found['done']), ([page], page, True))
            check('seven ships' in json.dumps(saved['sources']), saved['sources'])
            equal(saved['sources'][0]['source']['type'], 'web_search')
        with retrieval(s, web={'ENABLE_WEB_SEARCH': True, 'WEB_SEARCH_ENGINE': 'searxng', 'SEARXNG_QUERY_URL': fake.url + '/search?q=<query>', 'BYPASS_WEB_SEARCH_EMBEDDING_AND_RETRIEVAL': True}):
            told, sources = complete(ann, None, 'seven ships', features={'web_search': True})
            check('The lighthouse keeper counts seven ships' in told, told)


@test('web: an engine that is away, nothing found, and whoever may not')
def _(s):
    open_models(s)
    ann, admin = s.user('ann'), s.admin()
    body = {'model': 'stub-echo', 'messages': [{'role': 'user', 'content': 'x'}], 'features': {'web_search': True}}
    with retrieval(s, web={'ENABLE_WEB_SEARCH': False}):
        equal(ann.post('/api/chat/completions', body).status, 403)
    with retrieval(s, web={'ENABLE_WEB_SEARCH': True, 'WEB_SEARCH_ENGINE': 'searxng', 'SEARXNG_QUERY_URL': 'http://127.0.0.1:9/search?q=<query>'}):
        with Tab(ann) as tab:
            a = tab.ask('stub-echo', 'seven ships', features={'web_search': True}).wait(30)
            equal((a.content, a.error), ('seven ships', ''))
            equal((a.saved()['statusHistory'][-1]['error'], a.saved()['statusHistory'][-1]['description']), (True, 'An error occurred while searching the web'))
        permissions = admin.get('/api/v1/users/default/permissions').json()
        changed = json.loads(json.dumps(permissions))
        changed['features']['web_search'] = False
        admin.post('/api/v1/users/default/permissions', changed)
        try:
            equal(ann.post('/api/chat/completions', body).status, 403)
        finally:
            admin.post('/api/v1/users/default/permissions', permissions)


if __name__ == '__main__':
    main()
