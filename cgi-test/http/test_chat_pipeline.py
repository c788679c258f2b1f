#!/usr/bin/env python3
"""The rest of a chat's pipeline: direct connections, answers that are continued, arena models, temporary chats, portions of text, webhooks of people who are away."""
import contextlib, http.server, json, os, sys, threading, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import check, equal, main, test
from providers import JSON, Fake, connections, form
from tabs import Answer, Tab

JOBS = {'title_generation': True, 'tags_generation': True, 'follow_up_generation': True}
ITEM = {'id': 'direct', 'name': 'Direct', 'object': 'model', 'owned_by': 'openai', 'external': True, 'direct': True, 'urlIdx': 0, 'connection_type': 'external'}
WORDS = ' '.join(f'word{i}' for i in range(20))


def open_models(s):
    """Everybody may use the stub's models."""
    for id in ('stub-small', 'stub-echo', 'stub-slow', 'stub-large'):
        s.admin().post('/api/v1/models/create', {**form(id), 'base_model_id': None, 'access_control': None})
    s.admin().get('/api/models?refresh=true')


@contextlib.contextmanager
def direct_on(s, on=True):
    admin = s.admin()
    was = admin.get('/api/v1/configs/connections').json()
    equal(admin.post('/api/v1/configs/connections', {**was, 'ENABLE_DIRECT_CONNECTIONS': on}).status, 200)
    try:
        yield
    finally:
        admin.post('/api/v1/configs/connections', was)


class Browser(Tab):
    """A tab that asks a provider of its own: reply(request, send) returns what is acknowledged; send() hands a line over."""
    reply = None

    def __init__(self, person, reply, **more):
        self.reply, self.asked = reply, []
        super().__init__(person, **more)

    def keep(self, data=None):
        super().keep(data)
        event = (data or {}).get('data') or {}
        if event.get('type') != 'request:chat:completion':
            return None
        self.asked.append(event['data'])
        channel = event['data']['channel']
        return self.reply(event['data'], lambda line: self.io.emit(channel, line))


def chunk(text, **more):
    return 'data: ' + json.dumps({'choices': [{'index': 0, 'delta': {'content': text, **more}}]})


def later(send, *lines, pause=0.01):
    def run():
        with contextlib.suppress(Exception):        # the tab may be gone
            for line in lines:
                send(line)
                time.sleep(pause)
    threading.Thread(target=run, daemon=True).start()


def streams(*lines, pause=0.01, done=True):
    def reply(request, send):
        if not request['form_data'].get('stream'):
            text = json.dumps({'title': 'Of the browser', 'tags': ['Browser'], 'follow_ups': ['And?']})
            return {'choices': [{'index': 0, 'message': {'role': 'assistant', 'content': text}}]}
        later(send, *lines, *([{'done': True}] if done else []), pause=pause)
        return {'status': True}
    return reply


def ask(tab, **more):
    return tab.ask('direct', model_item=ITEM, **more)


# ---------------------------------------------------------------- direct connections

@test('direct: the browser asks, its words are shown and saved, and it does the small jobs, too')
def _(s):
    with direct_on(s), Browser(s.user('ann'), streams(chunk('One '), chunk('two'), {'choices': [{'delta': {'content': ' three'}}]}, 'data: [DONE]')) as tab:
        a = ask(tab, background_tasks=JOBS, params={'temperature': 0.5}).wait()
        equal((a.content, a.saved()['content']), ('One two three', 'One two three'))
        a.until(lambda: {'chat:title', 'chat:tags', 'chat:message:follow_ups'} <= set(a.kinds()), 10, 'the small jobs')
        first = tab.asked[0]
        equal((first['session_id'], first['model']['id'], first['form_data']['temperature']), (tab.io.get_sid(), 'direct', 0.5))
        check(not {'model_item', 'session_id', 'chat_id', 'background_tasks'} & set(first['form_data']), first['form_data'])
        equal(s.user('ann').get(f'/api/v1/chats/{a.chat}').json()['title'], 'Of the browser')
        equal(a.tasks(), [])


@test('direct: a thousand lines at once do not close the socket')
def _(s):
    with direct_on(s), Browser(s.user('ann'), streams(*(chunk(f'w{i} ') for i in range(1500)), pause=0)) as tab:
        a = ask(tab).wait(30)
        equal(a.saved()['content'].split(), [f'w{i}' for i in range(1500)])


@test('direct: the provider refuses, the tab does not answer, the tab leaves')
def _(s):
    with direct_on(s):
        with Browser(s.user('ann'), lambda request, send: {'detail': 'The key is wrong'}) as tab:
            a = ask(tab).wait()
            check('The key is wrong' in a.error and 'The key is wrong' in str(a.saved()['error']), f'{a.error} {a.saved()}')
        tab = Browser(s.user('ann'), streams(chunk('One '), chunk('two '), done=False))
        with Tab(s.user('ann')) as other:
            a = ask(tab)
            a.until(lambda: 'two' in a.content, 10)
            tab.close()
            end = time.monotonic() + 10
            while not a.saved().get('error') and time.monotonic() < end:
                time.sleep(0.1)
            check(a.saved()['content'] == 'One two' and 'broke off' in str(a.saved()['error']), a.saved())
            check(any(e.get('type') == 'chat:message:error' for e in other.of(a.id)), 'the other tab is told')


@test('direct: stopped, and lines that come too late')
def _(s):
    with direct_on(s), Browser(s.user('ann'), streams(*(chunk(f'w{i} ') for i in range(100)), pause=0.05)) as tab:
        a = ask(tab).wait_words(3)
        equal(s.user('ann').post(f'/api/tasks/stop/{a.response.json()["task_id"]}', {}).json()['status'], True)
        a.until(lambda: 'chat:tasks:cancel' in a.kinds(), 5)
        n = len(a.saved()['content'].split())
        check(3 <= n < 60, n)
        time.sleep(0.5)
        equal(len(a.saved()['content'].split()), n)


@test('direct: somebody else cannot hand lines over')
def _(s):
    with direct_on(s), Tab(s.user('bob')) as bob:
        def reply(request, send):
            bob.io.emit(request['channel'], chunk('EVIL '))
            later(send, chunk('good'), {'done': True}, pause=0.3)
            return {'status': True}
        with Browser(s.user('ann'), reply) as tab:
            equal(ask(tab).wait().saved()['content'], 'good')


@test('direct: switched off, without a session, with a session of somebody else')
def _(s):
    ann = s.user('ann')
    body = {'model': 'direct', 'model_item': ITEM, 'messages': [{'role': 'user', 'content': 'x'}]}
    with direct_on(s, False):
        r = ann.post('/api/chat/completions', {**body, 'session_id': 'x'})
        equal((r.status, r.json()['detail']), (403, 'Direct connections are disabled'))
    with direct_on(s):
        equal(ann.post('/api/chat/completions', body).status, 400)
        with Browser(s.user('bob'), streams(chunk('x'))) as bob:
            r = ann.post('/api/chat/completions', {**body, 'session_id': bob.io.get_sid()})
            check(r.status == 502 and not bob.asked, r)


@test('direct: for a program in the browser, whole and streamed')
def _(s):
    body = {'model': 'direct', 'model_item': ITEM, 'messages': [{'role': 'user', 'content': 'x'}]}
    with direct_on(s), Browser(s.user('ann'), streams(chunk('One '), chunk('two'), 'data: [DONE]')) as tab:
        r = s.user('ann').post('/api/chat/completions', {**body, 'session_id': tab.io.get_sid()})
        check('Of the browser' in r.json()['choices'][0]['message']['content'], r)
        lines = [x for _, x in s.user('ann').lines('POST', '/api/chat/completions', {**body, 'session_id': tab.io.get_sid(), 'stream': True}) if x]
        equal(lines, [chunk('One '), chunk('two'), 'data: [DONE]'])


# ---------------------------------------------------------------- continue, arena, temporary, portions

def next_answer(tab, a, messages, **more):
    """The same message is asked for again, as the frontend does when an answer is continued."""
    again = Answer.__new__(Answer)
    again.tab, again.chat, again.id = tab, a.chat, a.id
    with tab.lock:
        tab.events.clear()
    again.response = tab.person.post('/api/chat/completions', {'stream': True, 'model': more.pop('model', 'stub-small'), 'messages': messages, 'session_id': tab.io.get_sid(), 'chat_id': a.chat,
                                                               'id': a.id, **more})
    return again


@test('an answer is continued: what it had stays in front')
def _(s):
    open_models(s)
    with Tab(s.user('ann')) as tab:
        a = tab.ask('stub-small').wait()
        equal(a.content, WORDS)
        again = next_answer(tab, a, [{'role': 'user', 'content': 'Hello'}, {'role': 'assistant', 'content': WORDS}]).wait()
        equal(again.saved()['content'], WORDS + WORDS)
        check(again.content.endswith(WORDS), again.content)


@test('a stopped answer is continued')
def _(s):
    open_models(s)
    with Tab(s.user('ann')) as tab:
        a = tab.ask('stub-slow').wait_words(3)
        s.user('ann').post(f'/api/tasks/stop/{a.response.json()["task_id"]}', {})
        a.until(lambda: 'chat:tasks:cancel' in a.kinds(), 5)
        had = a.saved()['content']
        again = next_answer(tab, a, [{'role': 'user', 'content': 'Hello'}, {'role': 'assistant', 'content': had}]).wait()
        equal(again.saved()['content'], had + WORDS)


@test('an arena model says whom it has drawn')
def _(s):
    open_models(s)
    admin = s.admin()
    config = {'ENABLE_EVALUATION_ARENA_MODELS': True, 'EVALUATION_ARENA_MODELS': [{'id': 'arena-x', 'name': 'X', 'meta': {'model_ids': ['stub-large'], 'access_control': None}}]}
    r = admin.post('/api/v1/evaluations/config', config)
    if r.status == 501:
        return          # arena models cannot be set here yet
    equal(r.status, 200, r)
    admin.get('/api/models?refresh=true')
    with Tab(admin) as tab:
        a = tab.ask('arena-x').wait()
        equal(a.saved()['selectedModelId'], 'stub-large')
        equal([e['data']['selected_model_id'] for e in a.events if (e.get('data') or {}).get('selected_model_id')], ['stub-large'])
        equal(a.content, WORDS)


@test('a temporary chat: shown, and nothing is saved')
def _(s):
    open_models(s)
    with Tab(s.user('ann')) as tab:
        before = s.user('ann').get('/api/v1/chats/').json()
        for chat in ('local', f'local:{tab.io.get_sid()}'):
            r = s.user('ann').post('/api/chat/completions', {'stream': True, 'model': 'stub-small', 'messages': [{'role': 'user', 'content': 'x'}, {'role': 'assistant', 'content': 'so far '}],
                                                             'session_id': tab.io.get_sid(), 'chat_id': chat, 'id': 'm-' + chat, 'background_tasks': JOBS})
            equal(r.status, 200, r)
            end = time.monotonic() + 10
            while not any((e.get('data') or {}).get('done') for e in tab.of('m-' + chat)) and time.monotonic() < end:
                time.sleep(0.05)
            done = [e['data'] for e in tab.of('m-' + chat) if (e.get('data') or {}).get('done')]
            equal([d['content'] for d in done], ['so far ' + WORDS])
        equal(len(s.user('ann').get('/api/v1/chats/').json()), len(before))


@test('text comes in portions of the size that was asked for')
def _(s):
    open_models(s)
    with Tab(s.user('ann')) as tab:
        counts = []
        for size in (1, 10):
            a = tab.ask('stub-slow', params={'stream_delta_chunk_size': size}).wait()
            counts.append(sum(1 for e in a.events if (e.get('data') or {}).get('choices')))
            equal(a.content, WORDS)
        check(counts[1] < counts[0] / 2, counts)


@test('two models answer at once, and a third makes one answer of both')
def _(s):
    open_models(s)
    ann = s.user('ann')
    with Tab(ann) as tab:
        a, b = tab.ask('stub-slow'), tab.ask('stub-small')
        a.wait(), b.wait()
        equal((a.content, b.content), (WORDS, WORDS))
        r = ann.post('/api/v1/tasks/moa/completions', {'model': 'stub-small', 'prompt': 'Hello', 'responses': [a.content, b.content], 'stream': True})
        check(r.status == 200 and '[DONE]' in r.text(), r)


# ---------------------------------------------------------------- pipelines that filter

def filter_model(id, priority=0, **more):
    return {'id': id, 'object': 'model', 'owned_by': 'pipelines', 'pipeline': {'type': 'filter', 'pipelines': ['*'], 'priority': priority, **more}}


@contextlib.contextmanager
def filters(s, models, answers):
    fake = Fake({'GET /models': (200, JSON, json.dumps({'object': 'list', 'data': models, 'pipelines': True})), **answers})
    with fake, connections(s, [s.stub.url + '/v1', fake.url]):
        open_models(s)
        yield fake


def says(text):
    return 200, JSON, json.dumps({'model': 'other', 'stream': True, 'messages': [{'role': 'user', 'content': text}], 'metadata': {}})


@test('filters: what a pipeline makes of a request, in the order of their priorities; one that is away is passed over')
def _(s):
    models = [filter_model('late', 5), filter_model('first', 1), filter_model('away', 3), filter_model('other', 0) | {'pipeline': {'type': 'filter', 'pipelines': ['x'], 'priority': 0}}]
    with filters(s, models, {'POST /first/filter/inlet': says('first words'), 'POST /late/filter/inlet': says('last words')}) as fake:
        with Tab(s.user('ann')) as tab:
            a = tab.ask('stub-echo', 'my words').wait()
            equal(a.content, 'last words')
            asked = [(path, json.loads(body)) for _, path, _, body in fake.seen if path.endswith('/inlet')]
            equal([p for p, _ in asked], ['/first/filter/inlet', '/away/filter/inlet', '/late/filter/inlet'])
            equal([b['body']['messages'][-1]['content'] for _, b in asked], ['my words', 'first words', 'first words'])
            equal(asked[0][1]['user']['email'], 'ann@test.test')
            equal((asked[0][1]['body']['metadata']['chat_id'], asked[0][1]['body']['metadata']['message_id']), (a.chat, a.id))
        r = s.user('ann').post('/api/chat/completions', {'model': 'stub-echo', 'messages': [{'role': 'user', 'content': 'x'}]})
        equal(r.status, 200, r)


@test('filters: one that says no')
def _(s):
    with filters(s, [filter_model('no')], {'POST /no/filter/inlet': (429, JSON, '{"detail": "Enough for today"}')}):
        with Tab(s.user('ann')) as tab:
            a = tab.ask('stub-small').wait()
            equal((a.error, a.saved()['error']), ('Enough for today', {'content': 'Enough for today'}))
        r = s.user('ann').post('/api/chat/completions', {'model': 'stub-small', 'messages': [{'role': 'user', 'content': 'x'}]})
        equal((r.status, r.json()), (400, {'detail': 'Enough for today'}))


@test('filters: an answer goes through them, too')
def _(s):
    form = {'model': 'stub-small', 'messages': [], 'chat_id': 'c', 'session_id': 's', 'id': 'm'}
    with filters(s, [filter_model('out'), filter_model('broken', 2)], {'POST /out/filter/outlet': (200, JSON, '{"messages": [{"id": "m", "content": "better"}]}'),
                                                                  'POST /broken/filter/outlet': (500, JSON, '{"detail": "x"}')}) as fake:
        equal(s.user('ann').post('/api/chat/completed', form).json(), {'messages': [{'id': 'm', 'content': 'better'}]})
        equal([p for _, p, _, _ in fake.seen if p.endswith('/outlet')], ['/out/filter/outlet', '/broken/filter/outlet'])
    equal(s.user('ann').post('/api/chat/completed', form).json(), form)


# ---------------------------------------------------------------- people who are away

class Inbox:
    def __init__(self):
        inbox, self.got = self, []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                inbox.got.append(json.loads(self.rfile.read(int(self.headers['Content-Length']))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}/hook'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@test('who has left is told at his webhook that the answer is there')
def _(s):
    open_models(s)
    inbox, eve = Inbox(), s.user('eve')
    equal(eve.post('/api/v1/users/user/settings/update', {'ui': {'notifications': {'webhook_url': inbox.url}}}).status, 200)
    with Tab(eve) as tab:
        a = tab.ask('stub-small').wait()
        time.sleep(0.5)
        equal(inbox.got, [], 'somebody who is there')
    tab = Tab(eve)
    a = tab.ask('stub-slow').wait_words(2)
    tab.close()
    end = time.monotonic() + 10
    while not inbox.got and time.monotonic() < end:
        time.sleep(0.1)
    got = inbox.got[0]
    equal((got['action'], got['message'], got['title']), ('chat', WORDS, 'New Chat'))
    check(got['url'].endswith('/c/' + a.chat), got)


if __name__ == '__main__':
    main(env={'ENABLE_USER_WEBHOOKS': 'true'})
