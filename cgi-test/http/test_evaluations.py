#!/usr/bin/env python3
"""/api/v1/evaluations: the arena's settings, feedback on answers."""
from harness import *

E = '/api/v1/evaluations/'
FEEDBACK = {'type': 'rating', 'data': {'rating': 1, 'model_id': 'm', 'sibling_model_ids': ['n'], 'tags': ['t']}, 'meta': {'chat_id': 'c'},
            'snapshot': {'chat': {'id': 'c'}}}


def feedback(s, owner):
    r = owner.post(E + 'feedback', FEEDBACK)
    equal(r.status, 200, r.text())
    return {'id': r.json()['id']}


four_sides('evaluations: settings', 'GET', E + 'config', owner='admin')
four_sides('evaluations: change settings', 'POST', E + 'config', {}, wrong={'EVALUATION_ARENA_MODELS': ['x']}, owner='admin')
four_sides('evaluations: all feedback', 'GET', E + 'feedbacks/all', owner='admin')
four_sides('evaluations: export', 'GET', E + 'feedbacks/all/export', owner='admin')
four_sides('evaluations: own feedback', 'GET', E + 'feedbacks/user', other_status=None)
four_sides('evaluations: give feedback', 'POST', E + 'feedback', FEEDBACK, wrong={'data': {}}, other_status=None)
four_sides('evaluations: one feedback', 'GET', E + 'feedback/{id}', before=feedback, other_status=404)
four_sides('evaluations: no feedback', 'GET', E + 'feedback/none', works=404, other_status=404)
four_sides('evaluations: change feedback', 'POST', E + 'feedback/{id}', FEEDBACK, wrong={'type': 1}, before=feedback, other_status=404)
four_sides('evaluations: delete feedback', 'DELETE', E + 'feedback/{id}', before=feedback, other_status=404)
four_sides('evaluations: delete own feedback', 'DELETE', E + 'feedbacks', other_status=None)
four_sides('evaluations: delete all feedback', 'DELETE', E + 'feedbacks/all', owner='admin')


@test('evaluations: settings that are null or left out stay')
def _(s):
    models = [{'id': 'arena-one', 'name': 'One', 'meta': {'model_ids': ['stub-small'], 'access_control': None}}]
    r = s.admin().post(E + 'config', {'ENABLE_EVALUATION_ARENA_MODELS': False, 'EVALUATION_ARENA_MODELS': models})
    equal(r.json(), {'ENABLE_EVALUATION_ARENA_MODELS': False, 'EVALUATION_ARENA_MODELS': models})
    for change in ({}, {'ENABLE_EVALUATION_ARENA_MODELS': None, 'EVALUATION_ARENA_MODELS': None}):
        equal(s.admin().post(E + 'config', change).json(), r.json())
    equal(s.admin().get(E + 'config').json(), r.json())
    s.admin().post(E + 'config', {'ENABLE_EVALUATION_ARENA_MODELS': True, 'EVALUATION_ARENA_MODELS': []})


@test('evaluations: arena models stand in the list beside the others, for those who may')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    two = [{'id': 'arena-all', 'name': 'All', 'meta': {'model_ids': None, 'access_control': None}},
           {'id': 'arena-ann', 'name': 'Ann', 'meta': {'model_ids': ['stub-small'], 'access_control': {'read': {'user_ids': [ann.id], 'group_ids': []}}}},
           {'id': 'arena-none', 'name': 'None', 'meta': {'model_ids': []}}]
    s.admin().post(E + 'config', {'ENABLE_EVALUATION_ARENA_MODELS': True, 'EVALUATION_ARENA_MODELS': two})

    def arenas(u):
        return [m['id'] for m in u.get('/api/models').json()['data'] if m.get('arena')]
    equal([arenas(u) for u in (s.admin(), ann, bob)], [['arena-all', 'arena-ann', 'arena-none'], ['arena-all', 'arena-ann'], ['arena-all']])
    check('stub-small' in [m['id'] for m in s.admin().get('/api/models').json()['data']])
    s.admin().post(E + 'config', {'ENABLE_EVALUATION_ARENA_MODELS': False})
    equal(arenas(s.admin()), [])
    s.admin().post(E + 'config', {'ENABLE_EVALUATION_ARENA_MODELS': True, 'EVALUATION_ARENA_MODELS': []})
    equal(arenas(s.admin()), ['arena-model'])


@test('evaluations: a chat with an arena model is answered by one of its models')
def _(s):
    s.admin().post(E + 'config', {'ENABLE_EVALUATION_ARENA_MODELS': True, 'EVALUATION_ARENA_MODELS': [
        {'id': 'arena-one', 'name': 'One', 'meta': {'model_ids': ['stub-echo'], 'access_control': None}}]})
    r = s.admin().post('/api/chat/completions', {'model': 'arena-one', 'messages': [{'role': 'user', 'content': 'echo this'}]})
    equal((r.status, r.json()['model'], r.json()['choices'][0]['message']['content']), (200, 'stub-echo', 'echo this'), r.text())
    s.admin().post(E + 'config', {'EVALUATION_ARENA_MODELS': []})


@test('evaluations: what a feedback holds')
def _(s):
    ann = s.user('ann')
    f = ann.post(E + 'feedback', {**FEEDBACK, 'id': 'mine', 'user_id': 'x', 'version': 5, 'created_at': 1}).json()
    equal((f['user_id'], f['version'], f['type'], f['meta'], f['snapshot']), (ann.id, 0, 'rating', {'chat_id': 'c'}, {'chat': {'id': 'c'}}))
    check(f['id'] != 'mine' and f['created_at'] > 1)
    equal(f['data'], {'rating': 1, 'model_id': 'm', 'sibling_model_ids': ['n'], 'reason': None, 'comment': None, 'tags': ['t']})
    f = ann.post(E + 'feedback/' + f['id'], {'type': 'other', 'data': {'rating': '-1'}, 'meta': {}, 'user_id': 'x'}).json()
    equal((f['type'], f['data']['rating'], f['data']['model_id'], f['meta'], f['user_id']), ('rating', '-1', None, {'chat_id': 'c'}, ann.id))
    for wrong in ({'rating': []}, {'rating': 1.5}, {'model_id': 1}, {'sibling_model_ids': [1]}):
        equal(ann.post(E + 'feedback', {'type': 'rating', 'data': wrong}).status, 422, wrong)


@test('evaluations: lists of all with their owners, of one without; the newest first; snapshots in the export alone')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    s.admin().delete(E + 'feedbacks/all')
    ids = [feedback(s, u)['id'] for u in (ann, bob, ann)]
    every = s.admin().get(E + 'feedbacks/all').json()
    equal({f['id']: f['user']['id'] for f in every}, {ids[0]: ann.id, ids[1]: bob.id, ids[2]: ann.id})
    equal(set(every[0]['user']), {'id', 'name', 'email', 'role', 'last_active_at', 'updated_at', 'created_at'})
    check(all('snapshot' not in f for f in every))
    equal({f['snapshot']['chat']['id'] for f in s.admin().get(E + 'feedbacks/all/export').json()}, {'c'})
    equal({f['id'] for f in ann.get(E + 'feedbacks/user').json()}, {ids[0], ids[2]})
    equal([ann.delete(E + 'feedbacks').json(), ann.delete(E + 'feedbacks').json()], [True, False])
    equal([f['id'] for f in s.admin().get(E + 'feedbacks/all').json()], [ids[1]])
    equal([s.admin().delete(E + 'feedbacks/all').json(), s.admin().delete(E + 'feedbacks/all').json()], [True, False])


@test('evaluations: an administrator reads, changes and deletes what others gave')
def _(s):
    id = feedback(s, s.user('ann'))['id']
    equal(s.admin().get(E + 'feedback/' + id).json()['user_id'], s.user('ann').id)
    equal(s.admin().post(E + 'feedback/' + id, {'type': 'rating', 'data': {'comment': 'c'}}).json()['user_id'], s.user('ann').id)
    equal(s.admin().delete(E + 'feedback/' + id).json(), True)


if __name__ == '__main__':
    main()
