#!/usr/bin/env python3
"""/api/v1/functions: pipes, filters and actions, which are Python source that is read and never run; switching, sync, valves."""
from harness import *
from providers import Fake

F = '/api/v1/functions/'
PIPE = 'class Pipe:\n    def pipe(self, body: dict) -> str:\n        return "piped"\n'
FILTER = '''"""
title: A filter
icon_url: data:x
"""
from pydantic import BaseModel

class Filter:
    class Valves(BaseModel):
        priority: int = 0
    class UserValves(BaseModel):
        on: bool = True
    def __init__(self):
        self.toggle = True
    def inlet(self, body: dict) -> dict:
        return body
'''
made = 0


def form(id='four_sides', content=FILTER, **more):
    return {'id': id, 'name': 'A function', 'content': content, 'meta': {'description': 'd', 'kept': 1}, **more}


def function(s, _=None, content=FILTER):
    global made
    made += 1
    r = s.admin().post(F + 'create', form(f'made_{made}', content))
    equal(r.status, 200, r.text())
    return {'id': f'made_{made}'}


def get(s, id):
    r = s.admin().get(F + 'id/' + id)
    equal(r.status, 200, r.text())
    return r.json()


# ---------------------------------------------------------------- the four sides

four_sides('functions: list', 'GET', F, other_status=None)
four_sides('functions: export', 'GET', F + 'export', owner='admin')
four_sides('functions: export with what is no truth', 'GET', F + 'export?include_valves=perhaps', works=422, owner='admin')
four_sides('functions: make', 'POST', F + 'create', form(), wrong={'id': 'x'}, owner='admin')
four_sides('functions: one', 'GET', F + 'id/{id}', before=function, owner='admin')
four_sides('functions: none', 'GET', F + 'id/nobody', works=401, owner='admin')
four_sides('functions: change', 'POST', F + 'id/{id}/update', form(), wrong={'id': 'x'}, before=function, owner='admin')
four_sides('functions: switch', 'POST', F + 'id/{id}/toggle', before=function, owner='admin')
four_sides('functions: for all', 'POST', F + 'id/{id}/toggle/global', before=function, owner='admin')
four_sides('functions: delete', 'DELETE', F + 'id/{id}/delete', before=function, owner='admin')
four_sides('functions: valves', 'GET', F + 'id/{id}/valves', before=function, owner='admin')
four_sides('functions: schema of valves', 'GET', F + 'id/{id}/valves/spec', before=function, owner='admin')
four_sides('functions: set valves', 'POST', F + 'id/{id}/valves/update', {'priority': 2}, wrong=[1], before=function, owner='admin')
four_sides('functions: own valves', 'GET', F + 'id/{id}/valves/user', before=function, other_status=None)
four_sides('functions: schema of own valves', 'GET', F + 'id/{id}/valves/user/spec', before=function, other_status=None)
four_sides('functions: set own valves', 'POST', F + 'id/{id}/valves/user/update', {'on': False}, wrong=[1], before=function, other_status=None)
four_sides('functions: sync', 'POST', F + 'sync', {'functions': []}, wrong={'functions': [{'id': 'x'}]}, owner='admin')


four_sides('functions: load', 'POST', F + 'load/url', {'url': 'http://127.0.0.1/x.py'}, wrong={'url': 1}, works=400, owner='admin')


@test('functions: nothing is fetched from this machine or a private network')
def _(s):
    with Fake({'GET /x.py': (200, 'text/plain', PIPE)}) as server:
        port = server.url.rsplit(':', 1)[1]
        for host in ('127.0.0.1', 'localhost', '[::1]', '0.0.0.0', '2130706433', '[::ffff:127.0.0.1]', '10.0.0.1', '169.254.169.254'):
            r = s.admin().post(F + 'load/url', {'url': f'http://{host}:{port}/x.py'})
            equal(r.status, 400, host + r.text())
            check(r.json()['detail'].startswith('Error importing function: '), r.text())
        equal(server.seen, [])


# ---------------------------------------------------------------- what the source says

@test('functions: kind, manifest, toggle and what else the form says')
def _(s):
    f = get(s, function(s)['id'])
    equal((f['type'], f['is_active'], f['is_global'], f['meta']),
          ('filter', False, False, {'description': 'd', 'manifest': {'title': 'A filter', 'icon_url': 'data:x'}, 'kept': 1, 'toggle': True}))
    id = function(s, content=PIPE)['id']
    f = get(s, id)
    equal((f['type'], f['meta']), ('pipe', {'description': 'd', 'manifest': {}, 'kept': 1}))
    s.admin().post(F + f'id/{id}/update', form(id, 'class Action: pass'))
    equal(get(s, id)['type'], 'action')


@test('functions: a source that cannot be read is refused, and switches its function off')
def _(s):
    id = function(s, content=PIPE)['id']
    equal(s.admin().post(F + f'id/{id}/toggle').json()['is_active'], True)
    r = s.admin().post(F + f'id/{id}/update', form(id, 'class Pipe('))
    equal((r.status, r.json()['detail']), (400, "[ERROR: '(' was never closed (line 1)]"))
    f = get(s, id)
    equal((f['is_active'], f['content']), (False, PIPE))
    equal(s.admin().post(F + 'create', form('unread', 'q = 1')).json()['detail'], '[ERROR: No Function class found in the module]')
    equal(s.admin().get(F + 'id/unread').status, 401)


@test('functions: what does not come from a form')
def _(s):
    r = s.admin().post(F + 'create', form('Mass_1', user_id='x', type='pipe', is_active=True, is_global=True, created_at=1, valves={'priority': 5}))
    f = get(s, 'mass_1')
    equal((r.json()['user_id'], f['type'], f['is_active'], f['is_global'], f['created_at'] > 1), (s.admin().id, 'filter', False, False, True))
    equal(s.admin().get(F + 'id/mass_1/valves').json(), {})
    for id in ('', 'a b', '1a', 'a-b', 'a/b'):
        equal(s.admin().post(F + 'create', form(id)).status, 400, id)
    equal(s.admin().post(F + 'create', form('mass_1')).status, 400)


@test('functions: switched on and off, for all and not')
def _(s):
    id = function(s, content=PIPE)['id']
    equal([s.admin().post(F + f'id/{id}/toggle').json()['is_active'] for _ in range(3)], [True, False, True])
    equal([s.admin().post(F + f'id/{id}/toggle/global').json()['is_global'] for _ in range(2)], [True, False])


@test('functions: a model shows an action that is switched on for all, and loses it at once')
def _(s):
    id = function(s, content='class Action: pass')['id']

    def shown():
        return {a['id'] for m in s.admin().get('/api/models').json()['data'] for a in m['actions']}
    check(id not in shown())
    s.admin().post(F + f'id/{id}/toggle')
    s.admin().post(F + f'id/{id}/toggle/global')
    check(id in shown())
    s.admin().delete(F + f'id/{id}/delete')
    check(id not in shown())


@test('functions: valves and own valves')
def _(s):
    id, ann = function(s)['id'], s.user('ann')
    equal(s.admin().get(F + f'id/{id}/valves/spec').json(),
          {'title': 'Valves', 'type': 'object', 'properties': {'priority': {'type': 'integer', 'title': 'Priority', 'default': 0}}})
    equal(s.admin().post(F + f'id/{id}/valves/update', {'priority': '3', 'x': 1}).json(), {'priority': 3})
    equal(s.admin().post(F + f'id/{id}/valves/update', {'priority': 'high'}).status, 400)
    equal(s.admin().get(F + f'id/{id}/valves').json(), {'priority': 3})
    equal(ann.post(F + f'id/{id}/valves/user/update', {'on': 'off'}).json(), {'on': False})
    equal((ann.get(F + f'id/{id}/valves/user').json(), s.admin().get(F + f'id/{id}/valves/user').json()), ({'on': False}, {}))
    plain = function(s, content=PIPE)['id']
    equal([s.admin().get(F + f'id/{plain}/valves{x}').json() for x in ('/spec', '/user/spec')], [None, None])
    equal([s.admin().post(F + f'id/{plain}/valves{x}/update', {}).status for x in ('', '/user')], [401, 401])


# ---------------------------------------------------------------- all at once

def synced(id, **more):
    return {'id': id, 'user_id': 'x', 'name': id, 'type': 'filter', 'content': FILTER, 'meta': {'description': 'd'}, 'updated_at': 1, 'created_at': 2, **more}


@test('functions: a sync makes, changes and deletes')
def _(s):
    old, gone = function(s)['id'], function(s)['id']
    r = s.admin().post(F + 'sync', {'functions': [synced(old, is_active=True, valves={'priority': 9}), synced('synced_new')]})
    equal(r.status, 200, r.text())
    equal({f['id'] for f in s.admin().get(F).json()}, {old, 'synced_new'})
    equal(s.admin().get(F + 'id/' + gone).status, 401)
    f = get(s, old)
    equal((f['user_id'], f['is_active'], f['created_at'], f['updated_at'] > 1, f['meta']), (s.admin().id, True, 2, True, {'description': 'd', 'manifest': {}}))
    equal(s.admin().get(F + f'id/{old}/valves').json(), {'priority': 9})
    equal({f['id']: f['valves'] for f in s.admin().get(F + 'export?include_valves=true').json()}, {old: {'priority': 9}, 'synced_new': None})
    check(all('valves' not in f for f in s.admin().get(F + 'export').json()))


@test('functions: a sync with something wrong changes nothing')
def _(s):
    id = function(s)['id']
    before = s.admin().get(F).json()
    for wrong in (synced('a', content='class Filter('), synced('a', valves={'priority': 'high'}), synced('a', name=None)):
        check(s.admin().post(F + 'sync', {'functions': [synced('b'), wrong]}).status in (400, 422))
    equal(s.admin().get(F).json(), before)
    check(id in {f['id'] for f in before})


if __name__ == '__main__':
    main({'ENABLE_RAG_LOCAL_WEB_FETCH': 'false'})
