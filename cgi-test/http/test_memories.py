#!/usr/bin/env python3
"""/memories: what a user wants models to know of him, and the way to it by meaning."""
import os, subprocess

from harness import *
from providers import *

PATH = '/api/v1/memories/'


def one(s, owner):
    r = owner.post(PATH + 'add', {'content': 'Owls sleep by day'})
    equal(r.status, 200, r.text())
    return {'id': r.json()['id']}


def fresh(s, name):
    who = s.user(name)
    equal(who.delete(PATH + 'delete/user').json(), True)
    return who


four_sides('memories: list', 'GET', PATH, other_status=None)
four_sides('memories: add', 'POST', PATH + 'add', {'content': 'x'}, wrong={'content': 5}, other_status=None)
four_sides('memories: query', 'POST', PATH + 'query', {'content': 'owls'}, wrong={'k': 1}, before=one, other_status=None)
four_sides('memories: reset', 'POST', PATH + 'reset', other_status=None)
four_sides('memories: embedding', 'GET', PATH + 'ef', other_status=None)
four_sides('memories: change', 'POST', PATH + '{id}/update', {'content': 'Owls wake at night'}, wrong={'content': []}, other_status=404, before=one)


@test('memories: delete: four sides')
def _(s):
    ann, bob = fresh(s, 'ann'), fresh(s, 'bob')
    id = one(s, ann)['id']
    equal(s.anyone().delete(PATH + id).status, 401)
    equal(bob.delete(PATH + id).json(), False)
    equal(ann.delete(PATH + 'none').json(), False)
    equal([m['id'] for m in ann.get(PATH).json()], [id])
    equal(ann.delete(PATH + id).json(), True)
    equal(ann.get(PATH).json(), [])


@test('memories: delete all: the own ones only')
def _(s):
    ann, bob = fresh(s, 'ann'), fresh(s, 'bob')
    one(s, ann), one(s, bob)
    equal(s.anyone().delete(PATH + 'delete/user').status, 401)
    equal(ann.delete(PATH + 'delete/user').json(), True)
    equal(ann.get(PATH).json(), [])
    equal(len(bob.get(PATH).json()), 1)
    equal(ann.post(PATH + 'query', {'content': 'owls'}).status, 404)


@test('memories: the nearest is found, before and after a change, never another user\'s')
def _(s):
    ann, bob = fresh(s, 'ann'), fresh(s, 'bob')
    for text in ('My cat is called Ferdinand', 'Tuesday is market day', 'The lighthouse has seven windows'):
        ann.post(PATH + 'add', {'content': text})
    bob.post(PATH + 'add', {'content': 'My own dog is called Rex'})
    r = ann.post(PATH + 'query', {'content': 'which day is market day', 'k': 2}).json()
    equal(r['documents'][0][0], 'Tuesday is market day')
    equal([len(r[name][0]) for name in ('ids', 'documents', 'metadatas', 'distances')], [2, 2, 2, 2])
    check(1 >= r['distances'][0][0] >= r['distances'][0][1] >= 0, r)
    check(list(r['metadatas'][0][0]) == ['created_at'], r)
    equal(ann.post(PATH + r['ids'][0][0] + '/update', {'content': 'Friday is fish day'}).json()['content'], 'Friday is fish day')
    r = ann.post(PATH + 'query', {'content': 'Friday fish'}).json()
    equal((r['documents'], sorted(r['metadatas'][0][0])), ([['Friday is fish day']], ['created_at', 'updated_at']))
    equal(len(ann.post(PATH + 'query', {'content': 'dog called Rex', 'k': 50}).json()['ids'][0]), 3)
    check('Rex' not in ann.post(PATH + 'query', {'content': 'dog called Rex', 'k': 50}).text())
    equal(ann.post(PATH + 'reset').json(), True)
    equal(ann.post(PATH + 'query', {'content': 'Friday fish'}).json()['documents'], [['Friday is fish day']])


@test('memories: a memory that cannot be embedded is not kept, a change neither')
def _(s):
    ann = fresh(s, 'ann')
    id = one(s, ann)['id']
    was = s.admin().get('/api/v1/retrieval/embedding').json()
    dead = {**was, 'openai_config': {'url': 'http://127.0.0.1:1/v1', 'key': ''}}
    try:
        equal(s.admin().post('/api/v1/retrieval/embedding/update', dead).status, 200)
        for path, body in (('add', {'content': 'lost'}), (id + '/update', {'content': 'lost'}), ('query', {'content': 'x'}), ('reset', None)):
            r = ann.post(PATH + path, body)
            equal((r.status, r.json()['detail']), (400, 'The embedding server could not be reached'), path)
    finally:
        equal(s.admin().post('/api/v1/retrieval/embedding/update', was).json(), was)
    equal([m['content'] for m in ann.get(PATH).json()], ['Owls sleep by day'])


@test('memories: without an embedding server 501 says what to do')
def _(s):
    ann = fresh(s, 'ann')
    was = s.admin().get('/api/v1/retrieval/embedding').json()
    try:
        equal(s.admin().post('/api/v1/retrieval/embedding/update', {'embedding_engine': '', 'embedding_model': 'x'}).status, 200)
        r = ann.post(PATH + 'add', {'content': 'x'})
        equal(r.status, 501)
        check('embedding engine' in r.json()['detail'], r)
        equal(ann.get(PATH).json(), [])
    finally:
        equal(s.admin().post('/api/v1/retrieval/embedding/update', was).json(), was)


@test('memories: the vectors of a user who is deleted go')
def _(s):
    zoe = s.user('zoe')
    one(s, zoe)
    path = os.path.join(s.data, 'vector_db', 'webui-fcgi.db')

    def count():
        query = f"SELECT count(*) FROM collection WHERE name = 'user-memory-{zoe.id}'"
        return subprocess.run(['sqlite3', path, query], capture_output=True, check=True, text=True).stdout.strip()
    equal(count(), '1')
    equal(s.admin().delete('/api/v1/users/' + zoe.id).json(), True)
    equal(count(), '0')


main()
