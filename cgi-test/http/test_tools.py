#!/usr/bin/env python3
"""/api/v1/tools: making and changing tools, which are Python source that is read and never run; who may see them; their valves."""
import threading

from harness import *
from providers import Fake

T = '/api/v1/tools/'
CODE = '''"""
title: Weather
requirements: requests
"""
import os
from pydantic import BaseModel, Field

open(os.environ["DATA_DIR"] + "/run-by-mistake", "w").write("x")

class Tools:
    class Valves(BaseModel):
        key: str = Field(default="", description="The key")
        limit: int = Field(default=3, ge=1)

    class UserValves(BaseModel):
        unit: str = "C"

    def get(self, city: str, days: int = 1, __user__: dict = {}) -> str:
        """
        Tells the weather.
        :param city: Where
        """
        return city
'''
SPECS = [{'name': 'get', 'description': 'Tells the weather.',
          'parameters': {'type': 'object', 'required': ['city'], 'properties': {'city': {'type': 'string', 'description': 'Where'},
                                                                                'days': {'type': 'integer', 'default': 1}}}}]
made = 0


def form(id='four_sides', content=CODE, **more):
    return {'id': id, 'name': 'A tool', 'content': content, 'meta': {'description': 'd'}, **more}


def may_make_tools(s, *users):
    g = s.admin().post('/api/v1/groups/create', {'name': 'tool makers', 'description': ''}).json()
    r = s.admin().post(f'/api/v1/groups/id/{g["id"]}/update', {'name': 'tool makers', 'description': '', 'permissions': {'workspace': {'tools': True}},
                                                                'user_ids': [u.id for u in users]})
    equal(r.status, 200, r.text())


def tool_of(s, owner, **more):
    """A fresh tool of the owner, whom nobody else may see."""
    global made
    made += 1
    if owner is not s.admin():
        may_make_tools(s, owner)
    r = owner.post(T + 'create', form(f'made_{made}', **{'access_control': {}, **more}))
    equal(r.status, 200, r.text())
    return {'id': f'made_{made}'}


# ---------------------------------------------------------------- the four sides

four_sides('tools: list', 'GET', T, other_status=None)
four_sides('tools: those one may change', 'GET', T + 'list', other_status=None)
four_sides('tools: export', 'GET', T + 'export', owner='admin')
four_sides('tools: make', 'POST', T + 'create', form(), wrong={'id': 'x'}, owner='admin')
four_sides('tools: one', 'GET', T + 'id/{id}', before=tool_of, other_status=200)
four_sides('tools: none', 'GET', T + 'id/nobody', works=401, other_status=None)
four_sides('tools: change', 'POST', T + 'id/{id}/update', form(), wrong={'id': 'x'}, before=tool_of)
four_sides('tools: delete', 'DELETE', T + 'id/{id}/delete', before=tool_of)
four_sides('tools: valves', 'GET', T + 'id/{id}/valves', before=tool_of)
four_sides('tools: schema of valves', 'GET', T + 'id/{id}/valves/spec', before=tool_of)
four_sides('tools: set valves', 'POST', T + 'id/{id}/valves/update', {'limit': 2}, wrong=[1], before=tool_of, other_status=400)
four_sides('tools: own valves', 'GET', T + 'id/{id}/valves/user', before=tool_of)
four_sides('tools: schema of own valves', 'GET', T + 'id/{id}/valves/user/spec', before=tool_of)
four_sides('tools: set own valves', 'POST', T + 'id/{id}/valves/user/update', {'unit': 'F'}, wrong=[1], before=tool_of)


four_sides('tools: load', 'POST', T + 'load/url', {'url': 'http://127.0.0.1:1/x.py'}, wrong={}, works=502, owner='admin')


# ---------------------------------------------------------------- what the source says

@test('tools: specs and manifest come from the source')
def _(s):
    id = tool_of(s, s.admin())['id']
    t = s.admin().get(T + 'id/' + id).json()
    equal((t['specs'], t['meta'], t['content']), (SPECS, {'description': 'd', 'manifest': {'title': 'Weather', 'requirements': 'requests'}}, CODE))
    equal([x['has_user_valves'] for x in s.admin().get(T).json() if x['id'] == id], [True])


@test('tools: nothing of the source is run')
def _(s):
    tool_of(s, s.admin())
    s.admin().get(T)
    check(not os.path.exists(os.path.join(s.data, 'run-by-mistake')))


@test('tools: a source that cannot be read is refused, with the line')
def _(s):
    for content, part in (('class Tools(', "'(' was never closed (line 1)"), ('x = 1', 'No Tools class found in the module'),
                          ('class Tools:\n    def f(self, x: int = compute()): pass', 'line 2'),
                          ('class Tools:\n    def f(self, x: Missing): pass', "name 'Missing' is not defined")):
        r = s.admin().post(T + 'create', form('unread', content))
        equal(r.status, 400, content)
        check(r.json()['detail'].startswith('[ERROR: ') and part in r.json()['detail'], r.text())
    equal(s.admin().get(T + 'id/unread').status, 401)


@test('tools: a change that cannot be read leaves the tool as it was')
def _(s):
    id = tool_of(s, s.admin())['id']
    equal(s.admin().post(T + f'id/{id}/update', form(id, 'class Tools(')).status, 400)
    equal(s.admin().get(T + 'id/' + id).json()['content'], CODE)


@test('tools: imports of old versions are rewritten')
def _(s):
    id = tool_of(s, s.admin(), content='from utils.misc import x\nclass Tools: pass\n')['id']
    equal(s.admin().get(T + 'id/' + id).json()['content'], 'from open_webui.utils.misc import x\nclass Tools: pass\n')


@test('tools: ids, and what does not come from a form')
def _(s):
    for id in ('', 'a b', '1a', 'a-b', 'a/b', '../a', 'a\x00'):
        equal(s.admin().post(T + 'create', form(id)).status, 400, id)
    r = s.admin().post(T + 'create', form('Upper_1', user_id='somebody', specs=[{'name': 'x'}], created_at=1, valves={'key': 'v'}))
    equal((r.json()['id'], r.json()['user_id'], r.json()['created_at'] > 1), ('upper_1', s.admin().id, True))
    equal(s.admin().get(T + 'id/upper_1').json()['specs'], SPECS)
    equal(s.admin().get(T + 'id/upper_1/valves').json(), {})
    equal(s.admin().post(T + 'create', form('upper_1')).json()['detail'], 'Uh-oh! This id is already registered. Please choose another id string.')
    s.admin().post(T + 'id/upper_1/update', form('other', user_id='somebody'))
    equal(s.admin().get(T + 'id/upper_1').json()['user_id'], s.admin().id)
    equal(s.admin().get(T + 'id/other').status, 401)


@test('tools: of two made at once one gets the id')
def _(s):
    s.admin()
    got = []
    threads = [threading.Thread(target=lambda: got.append(s.admin().post(T + 'create', form('at_once')).status)) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal(sorted(got), [200] + [400] * 5)


@test('tools: a source is fetched from an address, and named after it')
def _(s):
    def load(path):
        return s.admin().post(T + 'load/url', {'url': server.url + path})
    with Fake({'GET /tools/weather.py': (200, 'text/plain', CODE), 'GET /sub/main.py': (200, 'text/plain', 'x = "ü"\n'),
               'GET /empty.py': (200, 'text/plain', ''), 'GET /latin.py': (200, 'text/plain', b'\xfc'),
               'GET /large.py': (200, 'text/plain', 'x' * (5 << 20))}) as server:
        equal(load('/tools/weather.py').json(), {'name': 'weather', 'content': CODE})
        equal(load('/sub/main.py').json(), {'name': 'sub', 'content': 'x = "ü"\n'})
        equal((load('/none.py').status, load('/none.py').json()['detail']), (500, 'Error importing tool: 404: Failed to fetch the tool'))
        equal([load(p).status for p in ('/empty.py', '/latin.py', '/large.py')], [500, 400, 400])


@test('tools: addresses that are none')
def _(s):
    for url, kind in ((7, 'url_type'), ('', 'url_parsing'), ('x.py', 'url_parsing'), ('file:///etc/passwd', 'url_scheme'), ('gopher://x/', 'url_scheme'),
                      ('http://', 'url_parsing'), ('http:///x', 'url_parsing'), ('http://x/' + 'a' * 2100, 'url_too_long')):
        r = s.admin().post(T + 'load/url', {'url': url})
        equal((r.status, r.json()['detail'][0]['type']), (422, kind), url)


# ---------------------------------------------------------------- who may

@test('tools: readers, writers, strangers')
def _(s):
    ann, bob, cleo = s.user('ann'), s.user('bob'), s.user('cleo')
    equal(cleo.post(T + 'create', form('cleos')).status, 401)
    id = tool_of(s, ann)['id']
    access = {'read': {'user_ids': [bob.id], 'group_ids': []}, 'write': {'user_ids': [], 'group_ids': []}}
    equal(ann.post(T + f'id/{id}/update', form(id, access_control=access)).status, 200)
    equal([id in [t['id'] for t in u.get(T).json()] for u in (ann, bob, cleo)], [True, True, False])
    equal([id in [t['id'] for t in u.get(T + 'list').json()] for u in (ann, bob, cleo)], [True, False, False])
    equal([u.get(T + 'id/' + id).json() is None for u in (ann, bob, cleo)], [False, False, True])
    for path, method in (('update', 'POST'), ('delete', 'DELETE')):
        equal([u.request(method, T + f'id/{id}/{path}', form(id)).status for u in (bob, cleo)], [401, 401])
    access['write']['user_ids'] = [bob.id]
    ann.post(T + f'id/{id}/update', form(id, access_control=access))
    equal(bob.post(T + f'id/{id}/update', form(id, access_control=access)).status, 200)
    equal(s.admin().get(T + 'id/' + id).json()['user_id'], ann.id)


@test('tools: valves are for who may change the tool, own valves for who may use it')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    id = tool_of(s, ann, access_control=None)['id']       # everybody reads
    equal(ann.post(T + f'id/{id}/valves/update', {'key': 'secret', 'limit': '7', 'more': 1}).json(), {'key': 'secret', 'limit': 7})
    equal([u.get(T + f'id/{id}/valves').status for u in (ann, s.admin(), bob)], [200, 200, 401])
    equal(ann.get(T + f'id/{id}/valves').json(), {'key': 'secret', 'limit': 7})
    check('secret' not in bob.get(T).text() + bob.get(T + f'id/{id}').text())
    equal(bob.post(T + f'id/{id}/valves/user/update', {'unit': 'F'}).json(), {'unit': 'F'})
    equal([u.get(T + f'id/{id}/valves/user').json() for u in (ann, bob)], [{}, {'unit': 'F'}])
    equal(bob.get('/api/v1/users/user/settings').json()['tools'], {'valves': {id: {'unit': 'F'}}})


@test('tools: values that do not fit the valves')
def _(s):
    id = tool_of(s, s.admin())['id']
    for values, part in (({'limit': 'many'}, 'valid integer'), ({'limit': 0}, 'greater than or equal to 1'), ({'key': 5}, 'valid string')):
        r = s.admin().post(T + f'id/{id}/valves/update', values)
        equal(r.status, 400, values)
        check(part in r.json()['detail'], r.text())
    equal(s.admin().get(T + f'id/{id}/valves').json(), {})
    equal(s.admin().post(T + f'id/{id}/valves/update', {'limit': None, 'key': 'k'}).json(), {'key': 'k'})
    plain = tool_of(s, s.admin(), content='class Tools: pass')['id']
    equal(s.admin().get(T + f'id/{plain}/valves/spec').json(), None)
    equal(s.admin().post(T + f'id/{plain}/valves/update', {}).status, 401)


@test('tools: own valves of two tools, and settings beside them')
def _(s):
    dora = s.user('dora')
    equal(dora.post('/api/v1/users/user/settings/update', {'ui': {'a': 1}}).status, 200)
    ids = [tool_of(s, s.admin(), access_control=None)['id'] for _ in range(2)]
    for id in ids:
        equal(dora.post(T + f'id/{id}/valves/user/update', {'unit': id}).status, 200)
    settings = dora.get('/api/v1/users/user/settings').json()
    equal((settings['ui'], settings['tools']['valves']), ({'a': 1}, {id: {'unit': id} for id in ids}))


if __name__ == '__main__':
    main()
