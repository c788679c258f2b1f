#!/usr/bin/env python3
"""/api/v1/notes, and notes that several people edit at once over Socket.IO."""
import time

from notes_tab import EMPTY, NoteTab, deletes, text_update
from harness import *

N = '/api/v1/notes/'
FORM = {'title': 'Mine', 'data': {'content': {'json': None, 'html': '', 'md': ''}}, 'meta': {}, 'access_control': {}}


def access(read=(), write=()):
    return {'read': {'user_ids': [u.id for u in read], 'group_ids': []}, 'write': {'user_ids': [u.id for u in write], 'group_ids': []}}


def note(s, owner, **changes):
    r = owner.post(N + 'create', {**FORM, **changes})
    equal(r.status, 200, r.text())
    return r.json()


def text_of(person, id):
    return ((person.get(N + id).json()['data'] or {}).get('content') or {}).get('md')


def saved(person, id, md, seconds=6):
    end = time.monotonic() + seconds
    while text_of(person, id) != md:
        check(time.monotonic() < end, f'want {md!r} saved, got {text_of(person, id)!r}')
        time.sleep(0.05)


# ---------------------------------------------------------------- the four sides

four_sides('notes: list', 'GET', N, other_status=None)
four_sides('notes: titles', 'GET', N + 'list', other_status=None)
four_sides('notes: titles of a page that is none', 'GET', N + 'list?page=x', works=422, other_status=None)
four_sides('notes: make', 'POST', N + 'create', FORM, wrong={'title': 3}, other_status=None)
four_sides('notes: one', 'GET', N + '{id}', before=note, other_status=403)
four_sides('notes: none', 'GET', N + 'none', works=404, other_status=404)
four_sides('notes: change', 'POST', N + '{id}/update', {'title': 'x'}, wrong={'data': {}}, before=note, other_status=403)
four_sides('notes: delete', 'DELETE', N + '{id}/delete', before=note, other_status=403)


# ---------------------------------------------------------------- HTTP

@test('notes: what is not yours is not seen, and stays as it was')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    n = note(s, ann)
    bob.post(N + n['id'] + '/update', {'title': 'stolen'})
    bob.delete(N + n['id'] + '/delete')
    equal(ann.get(N + n['id']).json(), n)
    check(n['id'] not in [x['id'] for x in bob.get(N).json() + bob.get(N + 'list').json()], 'listed')


@test('notes: id, owner and times are ours to give')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    n = note(s, ann, id='chosen', user_id=bob.id, created_at=1, updated_at=1)
    check(n['id'] != 'chosen' and n['user_id'] == ann.id and n['created_at'] > 10**18, n)
    changed = ann.post(N + n['id'] + '/update', {'title': 'x', 'id': 'chosen', 'user_id': bob.id, 'created_at': 1}).json()
    equal((changed['id'], changed['user_id'], changed['created_at']), (n['id'], ann.id, n['created_at']))


@test('notes: data and meta are merged, member by member, also into none')
def _(s):
    ann = s.user('ann')
    n = note(s, ann, data={'a': 1, 'b': {'c': 1}}, meta=None)
    changed = ann.post(N + n['id'] + '/update', {'title': 'x', 'data': {'b': {'d': 2}}, 'meta': {'m': 'ü'}}).json()
    equal((changed['data'], changed['meta']), ({'a': 1, 'b': {'d': 2}}, {'m': 'ü'}))
    changed = ann.post(N + n['id'] + '/update', {'title': 'y', 'data': None}).json()
    equal((changed['data'], changed['meta'], changed['title']), ({'a': 1, 'b': {'d': 2}}, {'m': 'ü'}, 'y'))
    check(changed['updated_at'] > n['updated_at'], 'no later time')


@test('notes: pages have sixty')
def _(s):
    tim = s.user('tim')
    ids = [note(s, tim, title=str(i))['id'] for i in range(61)][::-1]
    equal([x['id'] for x in tim.get(N + 'list?page=1').json()], ids[:60])
    equal([x['id'] for x in tim.get(N + 'list?page=2').json()], ids[60:])
    equal(len(tim.get(N + 'list').json()), 61)


@test('notes: without the permission there are none')
def _(s):
    ann, admin = s.user('ann'), s.admin()
    was = admin.get('/api/v1/users/default/permissions').json()
    n = note(s, ann)
    admin.post('/api/v1/users/default/permissions', {**was, 'features': {**was['features'], 'notes': False}})
    try:
        for r in (ann.get(N), ann.get(N + 'list'), ann.post(N + 'create', FORM), ann.get(N + n['id']), ann.delete(N + n['id'] + '/delete')):
            equal((r.status, r.json()), (401, {'detail': '401 Unauthorized'}))
        with NoteTab(ann, n['id'], join=False) as tab:
            tab.say('ydoc:document:join')
            time.sleep(0.5)
            equal(tab.names(), [])
        equal(admin.get(N + n['id']).status, 200)
    finally:
        admin.post('/api/v1/users/default/permissions', was)


# ---------------------------------------------------------------- several at once

@test('notes: what both write arrives at both, and who comes later gets it all')
def _(s):
    ann, bob, eve = s.user('ann'), s.user('bob'), s.user('eve')
    id = note(s, ann, access_control=access([bob, eve], [bob, eve]))['id']
    with NoteTab(ann, id) as a, NoteTab(bob, id) as b:
        equal(a.of('ydoc:document:state')[0], {'document_id': 'note:' + id, 'state': EMPTY, 'sessions': [a.io.get_sid()]})
        a.until(lambda: a.of('ydoc:user:joined'), 'the other has joined')
        equal(a.of('ydoc:user:joined'), [{'document_id': 'note:' + id, 'user_id': bob.id, 'user_name': 'bob', 'user_color': '#123456'}])
        a.write(text_update(1, 0, 'from ann'))
        b.write(text_update(2, 0, 'from bob'), md='both')
        b.until(lambda: b.of('ydoc:document:update'), "ann's words")
        a.until(lambda: a.of('ydoc:document:update'), "bob's words")
        equal(a.of('ydoc:document:update'), [{'document_id': 'note:' + id, 'user_id': bob.id, 'update': text_update(2, 0, 'from bob'), 'socket_id': b.io.get_sid()}])
        with NoteTab(eve, id) as e:
            state = e.of('ydoc:document:state')[0]
            check(b'from ann' in bytes(state['state']) and b'from bob' in bytes(state['state']), state)
            equal(sorted(state['sessions']), sorted(t.io.get_sid() for t in (a, b, e)))
            equal(bytes(state['state']), a.state())
        saved(ann, id, 'both')


@test('notes: what an editor only repeats goes no further')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    id = note(s, ann, access_control=access([bob], [bob]))['id']
    with NoteTab(ann, id) as a, NoteTab(bob, id) as b:
        a.write(text_update(1, 0, 'x'))
        b.until(lambda: b.of('ydoc:document:update'), 'the words')
        b.write(text_update(1, 0, 'x'))
        b.write(text_update(1, 0, 'x'))
        b.settle()
        a.write(text_update(1, 1, 'y', (1, 0)))
        b.until(lambda: len(b.of('ydoc:document:update')) == 2, 'more')
        equal(a.of('ydoc:document:update'), [])


@test('notes: an update may come as an attachment, as the frontend sends its state after a new connection')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    id = note(s, ann, access_control=access([bob], [bob]))['id']
    with NoteTab(ann, id) as a, NoteTab(bob, id) as b:
        a.write(bytes(text_update(1, 0, 'bytes')))
        b.until(lambda: b.of('ydoc:document:update'), 'the words')
        equal(b.of('ydoc:document:update')[0]['update'], text_update(1, 0, 'bytes'))


@test('notes: what is said before the server knows whether one may is not lost')
def _(s):
    ann = s.user('ann')
    id = note(s, ann)['id']
    with NoteTab(ann, id, join=False) as a:
        a.say('ydoc:document:join')
        a.write(text_update(1, 0, 'early'), md='early')
        saved(ann, id, 'early')
        check(b'early' in a.state(), 'lost')


@test('notes: the last text is saved, half a second after it came, and every three seconds while more comes')
def _(s):
    ann = s.user('ann')
    n = note(s, ann, data={'kept': 1})
    with NoteTab(ann, n['id']) as a:
        a.write(text_update(1, 0, 'a'), md='one')
        a.write(text_update(1, 1, 'b', (1, 0)), md='two')
        saved(ann, n['id'], 'two', 2)
        row = ann.get(N + n['id']).json()
        equal(row['data'], {'kept': 1, 'content': {'md': 'two', 'html': '<p>two</p>', 'json': {'type': 'doc'}}})
        check(row['updated_at'] > n['updated_at'], 'no later time')
        end, i, seen = time.monotonic() + 5, 2, set()
        while time.monotonic() < end:
            a.write(text_update(1, i, 'c', (1, i - 1)), md=f'typing {i}')
            seen.add(text_of(ann, n['id']))
            i += 1
            time.sleep(0.1)
        check(len(seen) > 1, 'nothing was saved while somebody typed')
        saved(ann, n['id'], f'typing {i - 1}')


@test('notes: what was written last is saved although the tab closes at once')
def _(s):
    ann = s.user('ann')
    id = note(s, ann)['id']
    with NoteTab(ann, id) as a:
        a.write(text_update(1, 0, 'a'), md='bye')
        a.settle()
    saved(ann, id, 'bye')


@test('notes: the document ends with its last tab')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    id = note(s, ann, access_control=access([bob], [bob]))['id']
    with NoteTab(ann, id) as a:
        a.write(text_update(1, 0, 'gone'))
        with NoteTab(bob, id) as b:
            check(b'gone' in bytes(b.of('ydoc:document:state')[0]['state']), 'not there')
            a.leave()
            b.until(lambda: b.of('ydoc:user:left'), 'ann has left')
            equal(b.of('ydoc:user:left'), [{'document_id': 'note:' + id, 'user_id': ann.id}])
            check(b'gone' in b.state(), 'gone too early')
        end = time.monotonic() + 5
        while (state := a.join())['state'] != EMPTY:
            check(time.monotonic() < end, state)
            a.leave()
            time.sleep(0.1)
        equal(state['sessions'], [a.io.get_sid()])


@test('notes: who was to fill an empty document and goes is followed by the next')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    id = note(s, ann, access_control=access([bob], [bob]))['id']
    with NoteTab(ann, id) as a, NoteTab(bob, id) as b:
        equal(len(b.of('ydoc:document:state')[0]['sessions']), 2)
        a.close()
        b.until(lambda: len(b.of('ydoc:document:state')) == 2, 'his turn')
        equal(b.of('ydoc:document:state')[1], {'document_id': 'note:' + id, 'state': EMPTY, 'sessions': [b.io.get_sid()]})


@test('notes: where somebody is arrives at the others')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    id = note(s, ann, access_control=access([bob]))['id']
    with NoteTab(ann, id) as a, NoteTab(bob, id) as b:
        b.say('ydoc:awareness:update', update=[1, 2, 3])
        a.until(lambda: a.of('ydoc:awareness:update'), 'where bob is')
        equal(a.of('ydoc:awareness:update'), [{'document_id': 'note:' + id, 'user_id': bob.id, 'update': [1, 2, 3]}])
        b.io.emit('ydoc:awareness:update', {'document_id': 'note:' + id, 'user_id': ann.id, 'update': [4]})
        a.until(lambda: len(a.of('ydoc:awareness:update')) == 2, 'where bob is now')
        equal(a.of('ydoc:awareness:update')[1]['user_id'], b.io.get_sid(), 'he called himself ann')
        equal(b.of('ydoc:awareness:update'), [])


# ---------------------------------------------------------------- who may not

@test('notes: who may only read sees what others write, and nobody sees what he does')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    id = note(s, ann, access_control=access([bob]))['id']
    with NoteTab(ann, id) as a, NoteTab(bob, id) as b:
        a.write(text_update(1, 0, 'words'), md='words')
        b.until(lambda: b.of('ydoc:document:update'), "ann's words")
        saved(ann, id, 'words')
        b.write(text_update(2, 0, 'forged'), md='forged')
        b.until(lambda: len(b.of('ydoc:document:update')) == 2, 'that it is taken back')
        equal(b.of('ydoc:document:update')[1]['update'], [0, 1, 2, 1, 0, 6])
        b.write(text_update(1, 0, 'words'), md='forged, too')         # what his editor repeats is not taken back
        b.settle()
        time.sleep(1)
        equal((a.of('ydoc:document:update'), len(b.of('ydoc:document:update'))), ([], 2))
        check(b'forged' not in a.state(), 'it is in the document')
        equal(text_of(ann, id), 'words')


@test('notes: a reader who comes first does not keep a writer from filling the document, and then has the words once')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    id = note(s, ann, access_control=access([bob]))['id']
    with NoteTab(bob, id) as b:
        equal(b.of('ydoc:document:state')[0]['sessions'], [b.io.get_sid()])
        b.write(text_update(2, 0, 'from the note'), md='from the note')      # the frontend fills his copy
        with NoteTab(ann, id) as a:
            equal((a.of('ydoc:document:state')[0]['state'], a.of('ydoc:document:state')[0]['sessions']), (EMPTY, [a.io.get_sid()]))
            a.write(text_update(1, 0, 'from the note'), md='from the note')
            b.until(lambda: b.of('ydoc:document:update'), "ann's words")
            equal(b.of('ydoc:document:update')[0]['update'], text_update(1, 0, 'from the note')[:-1] + [1, 2, 1, 0, 13])
            a.write(text_update(1, 13, '!', (1, 12)))
            b.until(lambda: len(b.of('ydoc:document:update')) == 2, 'more')
            check(not deletes(b.of('ydoc:document:update')[1]['update']), 'deleted twice')


@test('notes: strangers hear nothing and change nothing')
def _(s):
    ann, eve = s.user('ann'), s.user('eve')
    id = note(s, ann)['id']
    with NoteTab(ann, id) as a, NoteTab(eve, id, join=False) as e, NoteTab(s.anyone(), id, join=False) as nobody:
        for tab in (e, nobody):
            tab.write(text_update(9, 0, 'without joining'), md='stolen')
            tab.say('ydoc:awareness:update', update=[1])
            tab.say('ydoc:document:join', user_name='ann')
            tab.io.emit('join-note', {'note_id': id, 'auth': {'token': tab.person.token}})
            tab.write(text_update(9, 0, 'after joining'), md='stolen')
            tab.say('ydoc:document:state')
            tab.leave()
        a.write(text_update(1, 0, 'secret'), md='secret')
        saved(ann, id, 'secret')
        ann.post(N + id + '/update', {'title': 'secret'})
        time.sleep(1)
        equal((e.names(), nobody.names(), a.names()), ([], [], ['ydoc:document:state']))
        check(b'joining' not in a.state(), 'written')
        equal(text_of(ann, id), 'secret')


@test('notes: an administrator may, also where he is not named')
def _(s):
    ann, admin = s.user('ann'), s.admin()
    id = note(s, ann)['id']
    with NoteTab(admin, id) as a:
        a.write(text_update(1, 0, 'x'), md='by the administrator')
        saved(ann, id, 'by the administrator')


@test('notes: rights that are taken end what was open, and who has the note open hears of its changes')
def _(s):
    ann, bob, eve = s.user('ann'), s.user('bob'), s.user('eve')
    id = note(s, ann, access_control=access([bob, eve], [bob]))['id']
    with NoteTab(ann, id) as a, NoteTab(bob, id) as b, NoteTab(eve, id) as e:
        for tab in (a, b, e):
            tab.io.emit('join-note', {'note_id': id, 'auth': {'token': tab.person.token}})
            tab.settle()
        time.sleep(0.3)
        changed = ann.post(N + id + '/update', {'title': 'News', 'access_control': access([bob])}).json()
        for tab in (a, b):
            tab.until(lambda: tab.of('note-events'), 'the news')
            equal(tab.of('note-events'), [changed])
        b.write(text_update(2, 0, 'no longer'), md='no longer')
        a.write(text_update(1, 0, 'private'), md='private')
        b.until(lambda: any(b'private' in bytes(d['update']) for d in b.of('ydoc:document:update')), 'the words')
        saved(ann, id, 'private')
        time.sleep(0.5)
        equal([n for n in e.names() if n not in ('ydoc:document:state', 'ydoc:user:joined')], [], 'eve')
        equal(a.of('ydoc:document:update'), [])
        heard = len(b.of('ydoc:document:update'))
        ann.delete(N + id + '/delete')
        time.sleep(0.5)
        a.write(text_update(1, 7, '!', (1, 6)), md='after the end')
        a.settle()
        time.sleep(0.3)
        equal(len(b.of('ydoc:document:update')), heard, 'updates after the end')


@test('notes: a share that was taken by a group is not there any more when it is saved')
def _(s):
    ann, bob, admin = s.user('ann'), s.user('bob'), s.admin()
    g = admin.post('/api/v1/groups/create', {'name': 'writers', 'description': ''}).json()['id']
    admin.post(f'/api/v1/groups/id/{g}/update', {'name': 'writers', 'description': '', 'user_ids': [bob.id]})
    rights = {'user_ids': [], 'group_ids': [g]}
    id = note(s, ann, access_control={'read': rights, 'write': rights})['id']
    with NoteTab(bob, id) as b:
        b.write(text_update(2, 0, 'a'), md='a member')
        saved(ann, id, 'a member')
        admin.post(f'/api/v1/groups/id/{g}/update', {'name': 'writers', 'description': '', 'user_ids': []})
        b.write(text_update(2, 1, 'b', (2, 0)), md='no member')
        time.sleep(1.2)
        equal(text_of(ann, id), 'a member')


@test('notes: nonsense is refused, and harms nobody')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    id = note(s, ann, access_control=access([bob], [bob]))['id']
    with NoteTab(ann, id) as a, NoteTab(bob, id) as b:
        a.write(text_update(1, 0, 'good'))
        b.until(lambda: b.of('ydoc:document:update'), 'the words')
        bad = ([], [1], [1, 2, 3], text_update(1, 0, 'x') + [7], [256], [-1], ['a'], [1.5], 'text', None, {}, {'_binary': '!'}, b'\xff\xff', 7)
        for update in bad:
            a.write(update)
        for data in (None, [], 'x', 7, {}, {'document_id': 7}, {'document_id': 'note:'}, {'document_id': 'note:a:b'}, {'document_id': 'x' * 5000}):
            for event in ('join-note', 'ydoc:document:join', 'ydoc:document:state', 'ydoc:document:update', 'ydoc:document:leave', 'ydoc:awareness:update'):
                a.io.emit(event, data)
        a.settle()
        equal(len(a.of('error')), len(bad))
        check(all('cannot be read' in e['message'] for e in a.of('error')), a.of('error'))
        equal(b.of('ydoc:document:update'), [{**b.of('ydoc:document:update')[0], 'update': text_update(1, 0, 'good')}])
        check(b'good' in b.state(), 'harmed')


@test('notes: a document has a largest size')
def _(s):
    ann = s.user('ann')
    id = note(s, ann)['id']
    with NoteTab(ann, id) as a:
        n, clock = 200000, 0
        for i in range(25):
            a.write(bytes(text_update(1, clock, 'x' * n, (1, clock - 1) if clock else None)))
            clock += n
        a.until(lambda: a.of('error'), 'the end', 20)
        check('too large' in a.of('error')[0]['message'], a.of('error'))
        check(len(bytes(a.join()['state'])) < 5 * 10**6, 'larger')


if __name__ == '__main__':
    main()
