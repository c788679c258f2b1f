#!/usr/bin/env python3
"""/api/v1/channels: channels and their messages: who may do what, threads, reactions, pages; models that are mentioned, webhooks of people who are away."""
import json, socket, sys, time, uuid

from harness import *
from providers import *

C = '/api/v1/channels/'
made = 0


def channel(s, read=(), write=(), **more):
    """A channel that these may read and write; open to all when nobody is named."""
    global made
    made += 1
    body = {'name': f'room {made}', **more}
    if read or write:
        body['access_control'] = {'read': {'user_ids': [u.id for u in (*read, *write)], 'group_ids': []}, 'write': {'user_ids': [u.id for u in write], 'group_ids': []}}
    r = s.admin().post(C + 'create', body)
    equal(r.status, 200, r.text())
    return r.json()['id']


def post(who, c, content='Hello', status=200, **more):
    r = who.post(f'{C}{c}/messages/post', {'content': content, **more})
    equal(r.status, status, r.text())
    return r.json().get('id')


def show(who, c, m):
    r = who.get(f'{C}{c}/messages/{m}')
    equal(r.status, 200, r.text())
    return r.json()


def contents(r):
    equal(r.status, 200, r.text())
    return [m['content'] for m in r.json()]


def anns(s, owner):
    """A channel of ann's alone, with a message of hers."""
    ann = s.user('ann')
    c = channel(s, write=[ann])
    return {'c': c, 'm': post(ann, c)}


def any_channel(s, owner):
    return {'c': channel(s)}


# ---------------------------------------------------------------- the four sides

four_sides('channels: list', 'GET', C, other_status=None)
four_sides('channels: list to manage', 'GET', C + 'list', other_status=None)
four_sides('channels: make', 'POST', C + 'create', {'name': 'x'}, wrong={'name': None}, owner='admin')
four_sides('channels: one', 'GET', C + '{c}', before=anns, other_status=403)
four_sides('channels: change', 'POST', C + '{c}/update', {'name': 'x'}, wrong={}, before=any_channel, owner='admin')
four_sides('channels: delete', 'DELETE', C + '{c}/delete', before=any_channel, owner='admin')
four_sides('messages: list', 'GET', C + '{c}/messages', before=anns, other_status=403)
four_sides('messages: post', 'POST', C + '{c}/messages/post', {'content': 'x'}, wrong={'content': 1}, before=anns, other_status=403)
four_sides('messages: one', 'GET', C + '{c}/messages/{m}', before=anns, other_status=403)
four_sides('messages: thread', 'GET', C + '{c}/messages/{m}/thread', before=anns, other_status=403)
four_sides('messages: change', 'POST', C + '{c}/messages/{m}/update', {'content': 'x'}, wrong={'content': 'x', 'data': 1}, before=anns, other_status=403)
four_sides('messages: react', 'POST', C + '{c}/messages/{m}/reactions/add', {'name': '+1'}, wrong={}, before=anns, other_status=403)
four_sides('messages: take back a reaction', 'POST', C + '{c}/messages/{m}/reactions/remove', {'name': '+1'}, wrong={}, before=anns, other_status=403)
four_sides('messages: delete', 'DELETE', C + '{c}/messages/{m}/delete', before=anns, other_status=403)
four_sides('messages: a page that is none', 'GET', C + '{c}/messages?limit=x', before=anns, works=422, stranger_status=401, other_status=None)


# ---------------------------------------------------------------- who may

@test('channels: pending users are strangers')
def _(s):
    c = channel(s)
    m = post(s.admin(), c)
    pat = s.user('pat', 'pending')
    for method, path in (('GET', ''), ('GET', f'{c}'), ('GET', f'{c}/messages'), ('POST', f'{c}/messages/post'), ('GET', f'{c}/messages/{m}'), ('DELETE', f'{c}/messages/{m}/delete')):
        equal(pat.request(method, C + path, {'content': 'x'} if method == 'POST' else None).status, 401, path)


@test('channels: who may only read writes nothing, and changes nothing of others')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    c = channel(s, read=[bob], write=[ann])
    m = post(ann, c, 'By Ann')
    post(bob, c, status=403)
    equal(bob.get(f'{C}{c}').json()['write_access'], False)
    equal(ann.get(f'{C}{c}').json()['write_access'], True)
    for what, body in (('update', {'content': 'taken over'}), ('reactions/add', {'name': 'x'}), ('reactions/remove', {'name': 'x'})):
        equal(bob.post(f'{C}{c}/messages/{m}/{what}', body).status, 403, what)
    equal(bob.delete(f'{C}{c}/messages/{m}/delete').status, 403)
    now = show(ann, c, m)
    equal((now['content'], now['reactions']), ('By Ann', []))
    equal(show(bob, c, m)['content'], 'By Ann')


@test('channels: whoever may write may change and delete what others wrote there')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    c = channel(s, write=[ann, bob])
    m = post(ann, c)
    equal(bob.post(f'{C}{c}/messages/{m}/update', {'content': 'moderated'}).status, 200)
    now = show(ann, c, m)
    equal((now['content'], now['user_id']), ('moderated', ann.id))
    equal(bob.delete(f'{C}{c}/messages/{m}/delete').json(), True)
    equal(ann.get(f'{C}{c}/messages/{m}').status, 404)


@test('channels: who has lost access changes not even his own messages')
def _(s):
    ann = s.user('ann')
    c = channel(s, write=[ann])
    m = post(ann, c, 'Mine')
    equal(s.admin().post(f'{C}{c}/update', {'name': 'closed', 'access_control': {}}).status, 200)
    equal(ann.post(f'{C}{c}/messages/{m}/update', {'content': 'still mine'}).status, 403)
    equal(ann.delete(f'{C}{c}/messages/{m}/delete').status, 403)
    equal(ann.get(f'{C}{c}/messages').status, 403)
    check(c not in [x['id'] for x in ann.get(C).json()], 'listed')
    equal(show(s.admin(), c, m)['content'], 'Mine')
    equal(ann.post(f'{C}{c}/messages/{uuid.uuid4()}/update', {'content': 'x'}).status, 403, 'what there is is not told')


@test('channels: who may only read changes what he wrote when he might write')
def _(s):
    ann = s.user('ann')
    c = channel(s, write=[ann])
    m = post(ann, c, 'Mine')
    s.admin().post(f'{C}{c}/update', {'name': 'x', 'access_control': open_to(s, ann)})
    equal(ann.post(f'{C}{c}/messages/{m}/update', {'content': 'still mine'}).status, 200)
    equal(ann.delete(f'{C}{c}/messages/{m}/delete').status, 200)


@test('channels: groups open them, and close them at once')
def _(s):
    ann = s.user('ann')
    g = s.admin().post('/api/v1/groups/create', {'name': 'channel readers', 'description': ''}).json()['id']
    rule = {'user_ids': [], 'group_ids': [g]}
    c = s.admin().post(C + 'create', {'name': 'of a group', 'access_control': {'read': rule, 'write': rule}}).json()['id']
    post(ann, c, status=403)
    s.admin().post(f'/api/v1/groups/id/{g}/users/add', {'user_ids': [ann.id]})
    m = post(ann, c)
    s.admin().post(f'/api/v1/groups/id/{g}/users/remove', {'user_ids': [ann.id]})
    equal(ann.get(f'{C}{c}/messages/{m}').status, 403)


@test('channels: an admin who is one no more')
def _(s):
    eva = s.user('eva', 'admin')
    c = eva.post(C + 'create', {'name': 'by eva', 'access_control': {}}).json()['id']
    m = post(s.admin(), c)
    s.admin().post(f'/api/v1/users/{eva.id}/update', {'role': 'user', 'name': 'eva', 'email': 'eva@test.test', 'profile_image_url': '/user.png'})
    for method, path, body in (('POST', 'create', {'name': 'x'}), ('POST', f'{c}/update', {'name': 'x'}), ('DELETE', f'{c}/delete', None)):
        equal(eva.request(method, C + path, body).status, 401, path)
    equal(show(eva, c, m)['id'], m, 'it is still hers to read')


# ---------------------------------------------------------------- a message belongs to its channel

@test('messages: not through another channel')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    secret, other = channel(s, write=[ann]), channel(s)
    m = post(ann, secret, 'secret')
    post(ann, secret, 'secret reply', parent_id=m)
    for who in (bob, s.admin()):
        equal(who.get(f'{C}{other}/messages/{m}').status, 400)
        equal(who.get(f'{C}{other}/messages/{m}/thread').json(), [])
        for what, body in (('update', {'content': 'x'}), ('reactions/add', {'name': 'x'}), ('reactions/remove', {'name': 'x'})):
            equal(who.post(f'{C}{other}/messages/{m}/{what}', body).status, 400, what)
        equal(who.delete(f'{C}{other}/messages/{m}/delete').status, 400)
    now = show(ann, secret, m)
    equal((now['content'], now['reactions'], now['reply_count']), ('secret', [], 1))


@test('messages: what is answered or quoted is in the same channel')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    secret, other = channel(s, write=[ann]), channel(s)
    m = post(ann, secret, 'secret')
    for name in ('reply_to_id', 'parent_id'):
        post(bob, other, status=400, **{name: m})
        post(bob, other, status=400, **{name: str(uuid.uuid4())})
        post(bob, other, status=400, **{name: ''})
    check('secret' not in bob.get(f'{C}{other}/messages').text(), 'quoted')
    equal(show(ann, secret, m)['reply_count'], 0)


@test('messages: a quotation across channels in an old row is not shown')
def _(s):
    ann = s.user('ann')
    secret, other = channel(s, write=[ann]), channel(s)
    m, n = post(ann, secret, 'secret'), post(ann, other)
    if 'DATABASE_URL' in s.env:
        return
    import sqlite3
    with sqlite3.connect(s.data + '/webui.db', timeout=20) as db:
        db.execute('UPDATE message SET reply_to_id = ?, parent_id = NULL WHERE id = ?', (m, n))
    db.close()
    now = show(s.user('bob'), other, n)
    equal((now['reply_to_id'], now['reply_to_message']), (m, None))


@test('messages: a form names no author, no channel and no time')
def _(s):
    ann, c, other = s.user('ann'), channel(s), channel(s)
    r = ann.post(f'{C}{c}/messages/post', {'content': 'x', 'id': 'chosen', 'user_id': s.admin().id, 'channel_id': other, 'created_at': 1, 'updated_at': 1}).json()
    equal((r['user_id'], r['channel_id']), (ann.id, c))
    check(r['id'] != 'chosen' and r['created_at'] > 1e18 and r['updated_at'] == r['created_at'], str(r))
    m = post(ann, c)
    ann.post(f'{C}{c}/messages/{r["id"]}/update', {'content': 'y', 'parent_id': m, 'reply_to_id': m, 'user_id': s.admin().id})
    now = show(ann, c, r['id'])
    equal((now['content'], now['parent_id'], now['reply_to_id'], now['user_id']), ('y', None, None, ann.id))
    equal(s.admin().post(C + 'create', {'name': 'x', 'id': 'chosen', 'user_id': ann.id, 'created_at': 1}).json()['user_id'], s.admin().id)


# ---------------------------------------------------------------- what they are

@test('channels: a name in small letters when it is made, as it is when it is changed')
def _(s):
    r = s.admin().post(C + 'create', {'name': 'Ünï CODE', 'description': 'd', 'data': {'a': [1]}, 'meta': {'b': None}}).json()
    equal((r['name'], r['description'], r['data'], r['meta'], r['type'], r['access_control']), ('ünï code', 'd', {'a': [1]}, {'b': None}, None, None))
    r = s.admin().post(f'{C}{r["id"]}/update', {'name': 'Ünï CODE', 'description': 'e'}).json()
    equal((r['name'], r['description'], r['data'], r['meta']), ('Ünï CODE', 'd', None, None))


@test('channels: what is deleted is gone, with all that was said in it')
def _(s):
    ann, c = s.user('ann'), channel(s)
    m = post(ann, c)
    equal(s.admin().delete(f'{C}{c}/delete').json(), True)
    for path in ('', '/messages', f'/messages/{m}', f'/messages/{m}/thread'):
        equal(ann.get(f'{C}{c}{path}').status, 404, path)
    post(ann, c, status=404)
    equal(s.admin().delete(f'{C}{c}/delete').status, 404)


@test('messages: pages, newest first')
def _(s):
    ann, c = s.user('ann'), channel(s)
    for i in range(7):
        post(ann, c, str(i))
    list = f'{C}{c}/messages'
    equal(contents(ann.get(list)), ['6', '5', '4', '3', '2', '1', '0'])
    equal(contents(ann.get(list + '?skip=2&limit=3')), ['4', '3', '2'])
    equal(contents(ann.get(list + '?limit=0')), [])
    equal(contents(ann.get(list + '?skip=99')), [])
    equal(contents(ann.get(list + '?skip=-1&limit=-1')), ['6', '5', '4', '3', '2', '1', '0'])


@test('messages: a thread, what it counts, and what is left of it')
def _(s):
    ann, bob, c = s.user('ann'), s.user('bob'), channel(s)
    m = post(ann, c, 'first')
    a, b = post(bob, c, 'a', parent_id=m), post(ann, c, 'b', parent_id=m)
    post(bob, c, 'beside')
    equal(contents(ann.get(f'{C}{c}/messages')), ['beside', 'first'])
    now = show(ann, c, m)
    equal((now['reply_count'], now['latest_reply_at']), (2, show(ann, c, b)['created_at']))
    equal(contents(ann.get(f'{C}{c}/messages/{m}/thread')), ['b', 'a', 'first'])
    equal(contents(ann.get(f'{C}{c}/messages/{m}/thread?limit=2')), ['b', 'a'])
    equal(contents(ann.get(f'{C}{c}/messages/{m}/thread?skip=1&limit=2')), ['a', 'first'])
    ann.delete(f'{C}{c}/messages/{b}/delete')
    now = show(ann, c, m)
    equal((now['reply_count'], now['latest_reply_at']), (1, show(ann, c, a)['created_at']))
    ann.delete(f'{C}{c}/messages/{m}/delete')
    equal(contents(ann.get(f'{C}{c}/messages/{m}/thread')), [])
    equal(contents(ann.get(f'{C}{c}/messages')), ['beside'])


@test('messages: data and meta are put over what was there')
def _(s):
    ann, c = s.user('ann'), channel(s)
    m = post(ann, c, data={'a': 1, 'b': {'x': 1}}, meta={'k': 1})
    ann.post(f'{C}{c}/messages/{m}/update', {'content': 'y', 'data': {'b': {'y': 2}, 'c': None}})
    now = show(ann, c, m)
    equal((now['data'], now['meta']), ({'a': 1, 'b': {'y': 2}, 'c': None}, {'k': 1}))
    n = post(ann, c)
    ann.post(f'{C}{c}/messages/{n}/update', {'content': 'y'})
    now = show(ann, c, n)
    equal((now['data'], now['meta']), ({}, {}))


@test('messages: the same reaction twice is one; each takes back only his own')
def _(s):
    ann, bob, c = s.user('ann'), s.user('bob'), channel(s)
    m, n = post(ann, c), post(ann, c)

    def react(who, name, what='add'):
        equal(who.post(f'{C}{c}/messages/{m}/reactions/{what}', {'name': name}).json(), True)
    for who, name in ((ann, '+1'), (ann, '+1'), (bob, 'heart'), (bob, '+1')):
        react(who, name)
    want = [{'name': '+1', 'user_ids': [ann.id, bob.id], 'count': 2}, {'name': 'heart', 'user_ids': [bob.id], 'count': 1}]
    equal(show(ann, c, m)['reactions'], want)
    equal([x['reactions'] for x in ann.get(f'{C}{c}/messages').json()], [[], want])
    react(ann, 'heart', 'remove')
    react(ann, '+1', 'remove')
    equal(show(ann, c, m)['reactions'], [{'name': 'heart', 'user_ids': [bob.id], 'count': 1}, {'name': '+1', 'user_ids': [bob.id], 'count': 1}])


@test('messages: of somebody whose account is gone')
def _(s):
    ann, c = s.user('ann'), channel(s)
    leaver = s.user('leaver')
    m = post(leaver, c, 'I was here')
    n = post(ann, c, 'Who?', reply_to_id=m)
    equal(show(ann, c, n)['reply_to_message']['user']['name'], 'leaver')
    equal(s.admin().delete(f'/api/v1/users/{leaver.id}').status, 200)
    by_id = {x['id']: x for x in ann.get(f'{C}{c}/messages').json()}
    equal((by_id[m]['user'], by_id[m]['user_id'], by_id[n]['reply_to_message']['user']), (None, leaver.id, None))
    equal(show(ann, c, m)['user'], None)


@test('messages: odd texts come back as they were')
def _(s):
    ann, c = s.user('ann'), channel(s)
    for text in ('', '😀 \u2028 "\\" </script>', 'x' * 300000, "'; DROP TABLE message; --", '%_$1'):
        equal(show(ann, c, post(ann, c, text))['content'], text)
    check(ann.post(f'{C}{c}/messages/post', {'content': 'a\0b'}).status == 400, 'NUL')
    check(ann.get(f'{C}%00/messages').status in (400, 404), 'NUL in a path')


# ---------------------------------------------------------------- models

def answers_of(who, c, m):
    return [x for x in who.get(f'{C}{c}/messages/{m}/thread').json() if (x['meta'] or {}).get('model_id')]


def done(who, c, m, n=1):
    until(lambda: sum(bool(x['meta'].get('done')) for x in answers_of(who, c, m)) >= n, f'{n} answers')
    return answers_of(who, c, m)


@test('models: each that is mentioned answers once, in order, and knows the thread')
def _(s):
    admin, c = s.admin(), channel(s)
    m = post(admin, c, 'Ask <@M:stub-echo|Echo>, <@M:stub-small|Small> and <@M:stub-echo|Echo> and <@M:nobody|x>', data={'files': [{'type': 'image', 'url': 'data:image/png;base64,AA=='}, {'type': 'file', 'url': 'x'}]})
    answers = done(admin, c, m, 2)
    equal([a['meta']['model_id'] for a in answers], ['stub-small', 'stub-echo'])
    equal(answers[1]['content'], 'Admin: Ask Echo, Small and Echo and x')
    equal({(a['user_id'], a['parent_id'], a['meta']['model_name']) for a in answers}, {(admin.id, m, 'stub-small'), (admin.id, m, 'stub-echo')})
    asked = [x for x in s.stub.log() if x.get('path') == '/v1/chat/completions'][-1]['body']
    system, question = asked['messages'][0]['content'], asked['messages'][1]['content']
    check('Admin: Ask Echo' in system and 'stub-echo: Admin: Ask Echo' in system and 'stub-small' in system, system)
    equal([part['type'] for part in question], ['text', 'image_url'])
    equal(asked['stream'], False)


@test('models: one whose message is quoted answers; in the thread of that message')
def _(s):
    admin, c = s.admin(), channel(s)
    m = post(admin, c, 'Ask <@M:stub-echo|Echo>')
    a = done(admin, c, m)[0]['id']
    post(admin, c, 'And now?', parent_id=m, reply_to_id=a)
    equal(done(admin, c, m, 2)[0]['content'], 'Admin: And now?')
    post(admin, c, 'No question', parent_id=m)
    time.sleep(0.5)
    equal(len(answers_of(admin, c, m)), 2)


@test('models: one that fails says so; the others answer all the same')
def _(s):
    admin, c = s.admin(), channel(s)
    m = post(admin, c, '<@M:stub-error|E> <@M:stub-limit|L> <@M:stub-echo|Echo>')
    answers = done(admin, c, m, 3)
    equal([a['meta']['model_id'] for a in answers], ['stub-echo', 'stub-limit', 'stub-error'])
    check(answers[0]['content'] and answers[1]['content'] and answers[2]['content'], str(answers))


@test('models: not those that the asker may not use')
def _(s):
    ann, c = s.user('ann'), channel(s)
    m = post(ann, c, 'Hi <@M:stub-large|Large>')
    time.sleep(0.7)
    equal(answers_of(ann, c, m), [])


@test('models: the answer comes though who asked hangs up at once')
def _(s):
    admin, c = s.admin(), channel(s)
    body = json.dumps({'content': 'Hurry, <@M:stub-echo|Echo>'}).encode()
    with socket.create_connection((admin.host, admin.port)) as k:
        k.sendall(f'POST {C}{c}/messages/post HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin.token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n'.encode() + body)
        k.recv(1)
    until(lambda: admin.get(f'{C}{c}/messages').json(), 'the message')
    m = admin.get(f'{C}{c}/messages').json()[0]['id']
    equal(done(admin, c, m)[0]['content'], 'Admin: Hurry, Echo')


@test('models: an answer that was deleted while it was written')
def _(s):
    admin, c = s.admin(), channel(s)
    m = post(admin, c, '<@M:stub-hang|Hang> <@M:stub-echo|Echo>')
    until(lambda: answers_of(admin, c, m), 'the empty answer')
    equal(answers_of(admin, c, m)[0]['content'], '')
    equal(admin.delete(f'{C}{c}/messages/{answers_of(admin, c, m)[0]["id"]}/delete').status, 200)
    equal(admin.delete(f'{C}{c}/delete').status, 200)


# ---------------------------------------------------------------- webhooks

def webhook(who, url):
    r = who.post('/api/v1/users/user/settings/update', {'ui': {'notifications': {'webhook_url': url}}})
    equal(r.status, 200, r.text())


@test('webhooks: those who may read and have no tab open are told')
def _(s):
    ann, bob, cat = s.user('ann'), s.user('bob'), s.user('cat')
    with Fake({'POST /ann': (200, 'text/plain', 'ok'), 'POST /cat': (500, 'text/plain', 'no')}) as hook:
        webhook(ann, hook.url + '/ann')
        webhook(cat, hook.url + '/cat')
        c = channel(s, read=[ann], write=[bob], name='news')
        post(bob, c, 'Hello Ann')
        until(lambda: hook.seen, 'the webhook')
        method, path, headers, body = hook.last()
        equal((method, path, headers['content-type']), ('POST', '/ann', 'application/json'))
        equal(body, {'action': 'channel', 'message': 'Hello Ann', 'title': 'news', 'url': f'http://127.0.0.1:8080/channels/{c}'})
        post(bob, channel(s), 'To all')
        until(lambda: len(hook.seen) == 3, 'both webhooks')
        equal({path for _, path, _, _ in hook.seen[1:]}, {'/ann', '/cat'})
        webhook(ann, '')
        webhook(cat, '')
        post(bob, channel(s), 'To nobody')
        time.sleep(0.5)
        equal(len(hook.seen), 3)


@test('webhooks: none while they are switched off')
def _(s):
    ann = s.user('ann')
    config = s.admin().get('/api/v1/auths/admin/config').json()
    with Fake({'POST /ann': (200, 'text/plain', 'ok')}) as hook:
        webhook(ann, hook.url + '/ann')
        equal(s.admin().post('/api/v1/auths/admin/config', {**config, 'ENABLE_USER_WEBHOOKS': False}).status, 200)
        try:
            post(s.user('bob'), channel(s))
            time.sleep(0.7)
            equal(hook.seen, [])
        finally:
            s.admin().post('/api/v1/auths/admin/config', config)
            webhook(ann, '')


@test('webhooks: one to nowhere, or that never answers, holds nobody up')
def _(s):
    ann, cat, bob = s.user('ann'), s.user('cat'), s.user('bob')
    with Fake({'POST /cat': (200, 'text/plain', 'ok')}) as hook, Dead() as dead:
        webhook(ann, 'gopher://127.0.0.1:1/')
        webhook(s.user('dan'), 'http://127.0.0.1:1/')
        webhook(s.user('fay'), 'not an address')
        webhook(cat, hook.url + '/cat')
        begin = time.monotonic()
        post(bob, channel(s))
        check(time.monotonic() - begin < 2, 'the message was held up')
        until(lambda: hook.seen, 'the good webhook')
        for who in (ann, cat, s.user('dan'), s.user('fay')):
            webhook(who, '')


if __name__ == '__main__':
    main()
