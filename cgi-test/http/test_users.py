#!/usr/bin/env python3
"""/api/v1/users and /api/v1/groups: lists, permissions, settings, administration; the first admin; what becomes of a deleted user."""
from harness import *

U, G = '/api/v1/users/', '/api/v1/groups/'
NOBODY = '00000000-0000-4000-8000-000000000000'
PNG = 'data:image/png;base64,iVBORw0KGgo='
SVG = 'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciPjxzY3JpcHQ+YWxlcnQoMSk8L3NjcmlwdD48L3N2Zz4='
GROUP = {'name': 'Group', 'description': '', 'permissions': {'workspace': {'prompts': True}}}


def form(name, **changes):
    return {'role': 'user', 'name': name, 'email': f'{name}@test.test', 'profile_image_url': '/user.png', **changes}


def permissions(s):
    return s.admin().get(U + 'default/permissions').json()


def group(s, owner=None):
    r = s.admin().post(G + 'create', GROUP)
    equal(r.status, 200, r.text())
    return {'id': r.json()['id']}


def bob(s, owner=None):
    return {'id': s.user('bob').id}


# ---------------------------------------------------------------- the four sides

four_sides('active users', 'GET', U + 'active', other_status=None)
four_sides('list', 'GET', U, owner='admin')
four_sides('list: a page that is none', 'GET', U + '?page=two', works=422, owner='admin')
four_sides('all users', 'GET', U + 'all', owner='admin')
four_sides('search', 'GET', U + 'search?query=a', other_status=None)
four_sides('own groups', 'GET', U + 'groups', other_status=None)
four_sides('own permissions', 'GET', U + 'permissions', other_status=None)
four_sides('default permissions', 'GET', U + 'default/permissions', owner='admin')
four_sides('own settings', 'GET', U + 'user/settings', other_status=None)
four_sides('change settings', 'POST', U + 'user/settings/update', {'ui': {'a': 1}}, wrong={'ui': 'dark'}, other_status=None)
four_sides('own information', 'GET', U + 'user/info', other_status=None)
four_sides('change information', 'POST', U + 'user/info/update', {'a': 1}, wrong=[1], other_status=None)
four_sides('a user', 'GET', U + '{id}', before=bob, other_status=None)
four_sides('nobody', 'GET', U + NOBODY, works=400, other_status=None)
four_sides('a user\'s OAuth sessions: none', 'GET', U + '{id}/oauth/sessions', before=bob, works=400, owner='admin')
four_sides('a user\'s picture', 'GET', U + '{id}/profile/image', before=bob, other_status=None)
four_sides('a user\'s presence', 'GET', U + '{id}/active', before=bob, other_status=None)
four_sides('a user\'s groups', 'GET', U + '{id}/groups', before=bob, owner='admin')
four_sides('change a user', 'POST', U + '{id}/update', {'role': 'user', 'name': 'bob', 'email': 'bob@test.test', 'profile_image_url': '/user.png'},
           wrong={'role': 'user'}, before=bob, owner='admin')
four_sides('change a user by PUT', 'PUT', U + '{id}', {'role': 'user', 'name': 'bob', 'email': 'bob@test.test', 'profile_image_url': '/user.png'},
           wrong={'role': 'user'}, before=bob, owner='admin')
four_sides('delete a user', 'DELETE', U + NOBODY, owner='admin')
four_sides('groups', 'GET', G, other_status=None)
four_sides('make a group', 'POST', G + 'create', GROUP, wrong={'name': 'x'}, owner='admin')
four_sides('a group', 'GET', G + 'id/{id}', before=group, owner='admin')
four_sides('change a group', 'POST', G + 'id/{id}/update', GROUP, wrong={**GROUP, 'permissions': [1]}, before=group, owner='admin')
four_sides('put into a group', 'POST', G + 'id/{id}/users/add', {'user_ids': []}, wrong={'user_ids': 'x'}, before=group, owner='admin')
four_sides('take out of a group', 'POST', G + 'id/{id}/users/remove', {'user_ids': []}, wrong={'user_ids': 'x'}, before=group, owner='admin')
four_sides('delete a group', 'DELETE', G + 'id/{id}/delete', before=group, owner='admin')


@test('people who wait for approval see none of it')
def _(s):
    pia = s.user('pia', 'pending')
    for path in ('active', '', 'all', 'search', 'groups', 'permissions', 'default/permissions', 'user/settings', 'user/info', pia.id,
                 pia.id + '/profile/image', pia.id + '/active', pia.id + '/groups'):
        equal(pia.get(U + path).status, 401, path)
    equal(pia.get(G).status, 401)


# ---------------------------------------------------------------- lists

@test('lists: order, pages, search; what is typed is text and not a pattern')
def _(s):
    for name in ('list-c', 'list-a', 'list-b'):
        s.user(name)
    admin = s.admin()

    def names(query):
        return [u['name'] for u in admin.get(U + '?' + query).json()['users']]
    equal(names('query=list-&order_by=name&direction=asc'), ['list-a', 'list-b', 'list-c'])
    equal(names('query=LIST-&order_by=email'), ['list-c', 'list-b', 'list-a'])
    equal(names('query=list-&page=2'), [])
    equal(names('query=list-&page=0&order_by=name&direction=asc')[0], 'list-a')
    equal(len(names('query=list-&order_by=name;DROP%20TABLE%20user&direction=x')), 3)
    equal(names('query=list_a'), [])
    equal(names('query=%25'), [])
    equal(names("query='%20OR%20'1'='1"), [])
    check(admin.get(U + '?query=list-').json()['total'] > 3, 'the total is that of all users')
    equal(names('query=list-a&page=99999999999999'), [])


@test('search and the short lists do not show too much')
def _(s):
    found = s.user('ann').get(U + 'search?query=bob').json()['users']
    equal([set(u) for u in found], [{'id', 'name'}])
    check(all(set(u) == {'id', 'name', 'email', 'role'} for u in s.admin().get(U + 'all').json()['users']))
    equal(set(s.user('ann').get(U + s.user('bob').id).json()), {'name', 'profile_image_url', 'active'})


# ---------------------------------------------------------------- settings, permissions

@test('settings are merged at the top, and are one\'s own')
def _(s):
    cat = s.user('cat')
    equal(cat.get(U + 'user/settings').json(), None)
    cat.post(U + 'user/settings/update', {'ui': {'a': 1}, 'system': 'x'})
    equal(cat.post(U + 'user/settings/update', {'ui': {'b': [1, None]}}).json(), {'ui': {'b': [1, None]}, 'system': 'x'})
    for _ in range(4):
        equal(cat.get(U + 'user/settings').json(), {'ui': {'b': [1, None]}, 'system': 'x'})
    equal(s.user('dee').get(U + 'user/settings').json(), None)
    equal(cat.post(U + 'user/info/update', {'x': 1}).json(), {'x': 1})
    equal(cat.post(U + 'user/info/update', {'y': {'id': 'z'}}).json(), {'x': 1, 'y': {'id': 'z'}})


@test('tool servers of one\'s own need the permission')
def _(s):
    cat = s.user('cat2')
    equal(cat.post(U + 'user/settings/update', {'ui': {'toolServers': [1], 'k': 1}}).json(), {'ui': {'k': 1}})
    g = s.admin().post(G + 'create', {'name': 'T', 'description': '', 'permissions': {'features': {'direct_tool_servers': True}}}).json()['id']
    s.admin().post(f'{G}id/{g}/users/add', {'user_ids': [cat.id]})
    equal(cat.post(U + 'user/settings/update', {'ui': {'toolServers': [1]}}).json(), {'ui': {'toolServers': [1]}})
    s.admin().delete(f'{G}id/{g}/delete')
    equal(cat.post(U + 'user/settings/update', {'ui': {'toolServers': [1]}}).json(), {'ui': {}})


@test('default permissions: works, wrong input, not signed in, not an admin')
def _(s):
    before = permissions(s)
    changed = json.loads(json.dumps(before))
    changed['chat']['delete'] = False
    equal(s.anyone().post(U + 'default/permissions', changed).status, 401)
    equal(s.user('ann').post(U + 'default/permissions', changed).status, 401)
    equal(s.admin().post(U + 'default/permissions', {'workspace': {}}).status, 422)
    equal(s.admin().post(U + 'default/permissions', changed).json(), changed)
    try:
        for _ in range(8):
            equal(s.user('ann').get(U + 'permissions').json()['chat']['delete'], False)
    finally:
        s.admin().post(U + 'default/permissions', before)
    equal(s.user('ann').get(U + 'permissions').json()['chat']['delete'], True)


@test('groups: members only see their own, twice added is once there')
def _(s):
    eli, flo, g = s.user('eli'), s.user('flo'), group(s)['id']
    r = s.admin().post(f'{G}id/{g}/users/add', {'user_ids': [eli.id, eli.id, NOBODY]})
    equal(r.json()['user_ids'], [eli.id])
    equal([x['id'] for x in eli.get(G).json()], [g])
    equal([x['id'] for x in eli.get(U + 'groups').json()], [g])
    equal(flo.get(G).json(), [])
    equal(eli.get(U + 'permissions').json()['workspace']['prompts'], True)
    equal(flo.get(U + 'permissions').json()['workspace']['prompts'], False)
    equal(s.admin().get(f'{U}{eli.id}/groups').json()[0]['id'], g)
    equal(s.admin().get(f'{U}%25/groups').json(), [])
    equal(s.admin().post(f'{G}id/{g}/users/remove', {'user_ids': [eli.id]}).json()['user_ids'], [])
    equal(eli.get(U + 'permissions').json()['workspace']['prompts'], False)


# ---------------------------------------------------------------- pictures

@test('pictures: raster images only, whatever they say of themselves')
def _(s):
    gus, path = s.user('gus'), f'{U}{s.user("gus").id}/profile/image'

    def image(url):
        equal(gus.post('/api/v1/auths/update/profile', {'name': 'gus', 'profile_image_url': url}).status, 200)
        return s.user('ann').get(path)
    r = image(PNG)
    equal((r.status, r.headers['content-type'], r.body), (200, 'image/png', b'\x89PNG\r\n\x1a\n'))
    equal(r.headers.get('x-content-type-options'), 'nosniff')
    for url in (SVG, 'data:image/png;base64,PHN2Zz4=', 'data:image/png', 'javascript:alert(1)', '../../etc/passwd', 'data:text/html;base64,PGI+', ''):
        r = image(url)
        equal((r.status, r.headers['content-type'], b'svg' in r.body), (200, 'image/png', False), url)
    r = image('https://images.test/x.png\r\nX-Evil: 1')
    check('x-evil' not in r.headers)
    equal(image('https://images.test/x.png').headers['location'], 'https://images.test/x.png')


# ---------------------------------------------------------------- administration

@test('the first admin is neither demoted nor deleted, by nobody')
def _(s):
    first, second = s.admin(), s.user('second', 'admin')
    for who, change in ((second, {'role': 'user'}), (second, {'role': 'admin', 'password': 'new-Pass-1'}), (first, {'role': 'user'}), (first, {'role': 'pending'})):
        r = who.post(f'{U}{first.id}/update', {'role': 'admin', 'name': 'Admin', 'email': 'admin@test.test', 'profile_image_url': '/user.png', **change})
        equal(r.status, 403, r.text())
    equal(second.delete(U + first.id).status, 403)
    equal(first.delete(U + first.id).status, 403)
    equal(second.delete(U + second.id).status, 403)
    equal(first.get('/api/v1/auths/').json()['role'], 'admin')
    r = first.post(f'{U}{first.id}/update', {'role': 'admin', 'name': 'Admin', 'email': 'admin@test.test', 'profile_image_url': '/a.png'})
    equal((r.status, r.json()['profile_image_url']), (200, '/a.png'))


@test('an admin changes a user: address taken, new password ends his sessions, unknown members are ignored')
def _(s):
    hans, admin = s.user('hans'), s.admin()
    path = f'{U}{hans.id}/update'
    s.user('ann')
    equal(admin.post(path, form('hans', email='ANN@test.test')).status, 400)
    equal(admin.post(path, form('hans', password='x' * 73)).status, 400)
    equal(hans.get('/api/v1/auths/').status, 200)
    r = admin.post(path, form('hans', email='Hans2@Test.test', password='hans-Pass-2', id='x', api_key='sk-x', created_at=1))
    equal((r.status, r.json()['email'], r.json()['id'], r.json()['api_key']), (200, 'hans2@test.test', hans.id, None))
    equal(hans.get('/api/v1/auths/').status, 401)
    signin = s.anyone().post('/api/v1/auths/signin', {'email': 'hans2@test.test', 'password': 'hans-Pass-2'})
    equal(signin.status, 200)
    equal(admin.post(f'{U}{NOBODY}/update', form('nobody')).status, 400)


@test('a deleted user is gone, with his chats, their shares, his folders and his place in groups')
def _(s):
    ivo, admin, g = s.user('ivo'), s.admin(), group(s)['id']
    admin.post(f'{G}id/{g}/users/add', {'user_ids': [ivo.id]})
    chat = ivo.post('/api/v1/chats/new', {'chat': {'title': 'x'}}).json()['id']
    share = ivo.post(f'/api/v1/chats/{chat}/share').json()['id']
    ivo.post('/api/v1/folders/', {'name': 'F'})
    key = ivo.post('/api/v1/auths/api_key').json()['api_key']
    equal(s.user('ann').get('/api/v1/chats/share/' + share).status, 200)
    equal(s.user('ann').get(U + 'shared-' + chat).json()['name'], 'ivo')
    equal(admin.delete(U + ivo.id).json(), True)
    for _ in range(8):
        equal(ivo.get('/api/v1/auths/').status, 401)
    equal(Client(s.url, key).get('/api/v1/auths/').status, 401)
    equal(s.user('ann').get('/api/v1/chats/share/' + share).status, 401)
    equal(s.user('ann').get(U + ivo.id).status, 400)
    equal(s.user('ann').get(U + 'shared-' + chat).status, 400)
    equal(admin.get(f'{G}id/{g}').json()['user_ids'], [])
    equal(s.anyone().post('/api/v1/auths/signin', {'email': 'ivo@test.test', 'password': PASSWORD}).status, 400)
    equal(admin.get(f'{U}?query=ivo@test.test').json()['users'], [])


@test('the files of a deleted user go with him, save those that others have a use for')
def _(s):
    jan, admin = s.user('jan', role='admin'), s.admin()

    def upload(name):
        r = jan.upload('/api/v1/files/', name, b'some text')
        equal(r.status, 200, r.text())
        wait_until(lambda: jan.get(f"/api/v1/files/{r.json()['id']}/process/status").json()['status'] != 'pending', 20, 'the text of a file')
        return r.json()['id']
    alone, shared, model = upload('alone.txt'), upload('shared.txt'), upload('model.txt')
    k = admin.post('/api/v1/knowledge/create', {'name': 'K', 'description': 'd'}).json()['id']
    equal(jan.post(f'/api/v1/knowledge/{k}/file/add', {'file_id': shared}).status, 200)
    r = jan.post('/api/v1/models/create', {'id': 'jans', 'base_model_id': 'stub-small', 'name': 'J', 'meta': {'knowledge': [{'id': model, 'type': 'file'}]}, 'params': {}})
    equal(r.status, 200, r.text())
    on_disk = lambda id: [f for f in os.listdir(s.data + '/uploads') if f.startswith(id)]
    equal([len(on_disk(id)) for id in (alone, shared, model)], [1, 1, 1])
    equal(admin.delete(U + jan.id).status, 200)
    equal([len(on_disk(id)) for id in (alone, shared, model)], [0, 1, 1])
    equal([admin.get(f'/api/v1/files/{id}').status for id in (alone, shared, model)], [404, 200, 200])


if __name__ == '__main__':
    main()
