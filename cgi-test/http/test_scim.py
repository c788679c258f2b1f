#!/usr/bin/env python3
"""SCIM: filters, pages, order, parts, versions, operations; who may, and what it cannot do to the first administrator."""
import contextlib, sqlite3, threading, urllib.parse

from harness import *

V = '/api/v1/scim/v2'
TOKEN = 'conformance-scim-token'


def scim(s):
    return Client(s.url, TOKEN)


def people(s):
    """Five users of their own domain, made once."""
    if not hasattr(s, 'scim_people'):
        s.admin()
        s.scim_people = {}
        for name, active in (('Ann Lee', True), ('Ben Old', True), ('Cat Underwood', False), ('Dan_100%', True), ('eve o\'neil', True)):
            mail = name.split()[0].lower().replace('_100%', '') + '@filter.test'
            r = scim(s).post(V + '/Users', {'userName': mail, 'displayName': name, 'emails': [{'value': mail}], 'active': active})
            equal(r.status, 201, r.text())
            s.scim_people[mail.split('@')[0]] = r.json()['id']
    return s.scim_people


def found(s, filter, more='', kind='Users'):
    r = scim(s).get(f'{V}/{kind}?filter={urllib.parse.quote(filter)}{more}')
    equal(r.status, 200, filter + ': ' + r.text())
    body = r.json()
    equal(len(body['Resources']), body['itemsPerPage'])
    return body


def names(s, filter, more='&count=100'):
    return sorted(u['userName'].split('@')[0] for u in found(s, filter, more)['Resources'])


MINE = ' and userName ew "@filter.test"'


@test('scim: filters')
def _(s):
    ids = people(s)
    for filter, want in [
            ('userName eq "ANN@filter.test"', ['ann']), ('displayName co "e"' + MINE, ['ann', 'ben', 'cat', 'eve']), ('displayName sw "ann"' + MINE, ['ann']),
            ('active eq false' + MINE, ['cat']), ('active ne true' + MINE, ['cat']), ('not (active eq true)' + MINE, ['cat']),
            ('(displayName sw "Ann" or displayName sw "Ben")' + MINE, ['ann', 'ben']), ('displayName eq "dan_100%"', ['dan']),
            ('displayName co "_100%"' + MINE, ['dan']), ('displayName co "%"' + MINE, ['dan']), ('displayName eq "eve o\'neil"', ['eve']),
            ('name.familyName eq "lee"' + MINE, ['ann']), ('name.givenName eq "Cat"' + MINE, ['cat']),
            ('emails[type eq "work" and value sw "ben"]' + MINE, ['ben']), ('emails[type eq "home"]' + MINE, []), ('emails.value eq "ben@filter.test"', ['ben']),
            ('externalId pr' + MINE, []), ('not (externalId pr) and displayName sw "ann"' + MINE, ['ann']), ('nickName eq "x"' + MINE, []),
            (f'id eq "{ids["dan"]}"', ['dan']), ('meta.created gt "2020-01-01T00:00:00Z" and displayName sw "ann"' + MINE, ['ann']),
            ('meta.created lt "2020-01-01T00:00:00Z"' + MINE, []), ('meta.resourceType eq "User" and displayName sw "ann"' + MINE, ['ann'])]:
        equal(names(s, filter), want, filter)


@test('scim: filters that cannot be read are refused')
def _(s):
    for filter in ['userName', 'userName eq', 'userName eq "x', '(userName pr', 'userName pr and', 'active gt true', 'active eq "maybe"', 'meta.created eq "now"',
                   'meta.created co "2020-01-01T00:00:00Z"', 'displayName eq 5', '(' * 40 + 'id pr' + ')' * 40, ' or '.join(['id pr'] * 70), '"; DROP TABLE x']:
        r = scim(s).get(f'{V}/Users?filter={urllib.parse.quote(filter)}')
        equal(r.status, 400, filter)
        equal((r.json()['scimType'], r.json()['schemas']), ('invalidFilter', ['urn:ietf:params:scim:api:messages:2.0:Error']), filter)


@test('scim: groups of users and members of groups can be asked for')
def _(s):
    ids = people(s)
    g = scim(s).post(V + '/Groups', {'displayName': 'Filtered', 'members': [{'value': ids['ann']}, {'value': ids['ben']}]})
    equal(g.status, 201)
    id = g.json()['id']
    for filter in (f'groups.value eq "{id}"', f'groups eq "{id}"', 'groups.display eq "filtered"', f'groups[value eq "{id}" and display sw "Fil"]'):
        equal(names(s, filter), ['ann', 'ben'], filter)
    equal(names(s, 'groups pr' + MINE), ['ann', 'ben'])
    equal(names(s, 'not (groups pr)' + MINE), ['cat', 'dan', 'eve'])
    for filter in ('displayName eq "filtered"', f'members.value eq "{ids["ann"]}" and displayName sw "Fil"', 'members[display co "lee"]', f'id eq "{id}"'):
        equal([x['id'] for x in found(s, filter, kind='Groups')['Resources']], [id], filter)
    equal(found(s, f'members.value eq "{ids["cat"]}"', kind='Groups')['totalResults'], 0)
    equal(scim(s).delete(f'{V}/Groups/{id}').status, 204)


@test('scim: pages and order')
def _(s):
    people(s)
    filter = 'userName ew "@filter.test"'
    seen = []
    for start in (1, 3, 5):
        page = found(s, filter, f'&startIndex={start}&count=2&sortBy=userName')
        equal((page['totalResults'], page['startIndex']), (5, start))
        seen += [u['userName'][:3] for u in page['Resources']]
    equal(seen, ['ann', 'ben', 'cat', 'dan', 'eve'])
    equal([u['userName'][:3] for u in found(s, filter, '&sortBy=name.formatted&sortOrder=descending')['Resources']], ['eve', 'dan', 'cat', 'ben', 'ann'])
    equal(found(s, filter, '&startIndex=6')['Resources'], [])
    equal(scim(s).get(V + '/Users?sortBy=%5B').status, 400)


@test('scim: search by POST')
def _(s):
    people(s)
    r = scim(s).post(V + '/Users/.search', {'filter': 'userName ew "@filter.test"', 'sortBy': 'userName', 'startIndex': -3, 'count': 2, 'attributes': ['userName']})
    equal(r.status, 200)
    equal([u['userName'][:3] for u in r.json()['Resources']], ['ann', 'ben'])
    equal(set(r.json()['Resources'][0]), {'schemas', 'id', 'userName'})
    r = scim(s).post(V + '/Users/.search', {'filter': 'userName ew "@filter.test"', 'count': 0})
    equal((r.json()['totalResults'], r.json()['Resources']), (5, []))
    equal(scim(s).post(V + '/Groups/.search', {'filter': 'displayName eq "nothing"'}).json()['totalResults'], 0)
    equal(s.anyone().post(V + '/Users/.search', {}).status, 401)


@test('scim: attributes and excludedAttributes')
def _(s):
    id = people(s)['ann']
    one = scim(s).get(f'{V}/Users/{id}?attributes=userName,name.familyName').json()
    equal((set(one), one['name']), ({'schemas', 'id', 'userName', 'name'}, {'familyName': 'Lee'}))
    one = scim(s).get(f'{V}/Users/{id}?excludedAttributes=id,emails,meta').json()
    check('emails' not in one and 'meta' not in one and one['id'] == id and one['userName'])
    check('emails' not in found(s, 'userName eq "ann@filter.test"', '&attributes=id')['Resources'][0])


@test('scim: versions')
def _(s):
    id = people(s)['ben']
    path = f'{V}/Users/{id}'
    tag = scim(s).get(path).headers['etag']
    equal(scim(s).get(path, headers={'If-None-Match': tag}).status, 304)
    equal(scim(s).get(path, headers={'If-None-Match': 'W/"other"'}).status, 200)
    old = {'If-Match': 'W/"other"'}
    equal(scim(s).request('PUT', path, {'displayName': 'Ben New'}, headers=old).status, 412)
    equal(scim(s).request('PATCH', path, {'Operations': []}, headers=old).status, 412)
    equal(scim(s).delete(path, headers=old).status, 412)
    r = scim(s).request('PUT', path, {'displayName': 'Ben New'}, headers={'If-Match': tag})
    equal((r.status, r.json()['displayName']), (200, 'Ben New'))
    check(r.headers['etag'] != tag)
    equal(scim(s).request('PUT', path, {'displayName': 'Ben Old'}, headers={'If-Match': tag}).status, 412)
    equal(scim(s).request('PUT', path, {'displayName': 'Ben Old'}, headers={'If-Match': '*'}).status, 200)


@test('scim: operations as identity providers send them')
def _(s):
    s.admin()
    r = scim(s).post(V + '/Users', {'userName': 'fay@ops.test', 'displayName': 'Fay', 'emails': [], 'password': 'scim-Pass-1'})
    equal(r.status, 201)
    check(r.headers['location'].endswith('/Users/' + r.json()['id']) and r.headers['location'].startswith('http://127.0.0.1:'))
    path = r.json()['meta']['location'].split(str(s.port))[1]
    form = {'email': 'fay@ops.test', 'password': 'scim-Pass-1'}
    signed_in = s.anyone().post('/api/v1/auths/signin', form)
    equal(signed_in.status, 200)
    fay = Client(s.url, signed_in.json()['token'])
    equal(fay.get('/api/v1/folders/').status, 200)

    def patch(*operations, status=200):
        r = scim(s).request('PATCH', path, {'Operations': list(operations)})
        equal(r.status, status, r.text())
        return r.json()
    equal(patch({'op': 'Replace', 'value': {'active': 'False'}})['active'], False)
    equal(fay.get('/api/v1/folders/').status, 401)
    equal(patch({'op': 'replace', 'value': {'active': True, 'name.familyName': 'Stone'}})['displayName'], 'Fay Stone')
    equal(patch({'op': 'add', 'path': 'emails[type eq "work"].value', 'value': 'FAY2@ops.test'})['userName'], 'fay2@ops.test')
    equal(patch({'op': 'replace', 'path': 'emails[type eq "home"].value', 'value': 'x@ops.test'}, status=400)['scimType'], 'noTarget')
    equal(patch({'op': 'replace', 'path': 'displayName', 'value': 'Half'}, {'op': 'remove', 'path': 'userName'}, status=400)['scimType'], 'mutability')
    equal(scim(s).get(path).json()['displayName'], 'Fay Stone')
    equal(patch({'op': 'replace', 'path': 'userName', 'value': 'admin@test.test'}, status=409)['scimType'], 'uniqueness')
    equal(patch({'op': 'replace', 'path': 'userName', 'value': 'nothing'}, status=400)['scimType'], 'invalidValue')
    equal(patch({'op': 'replace', 'path': 'photos', 'value': [{'value': 'https://x.test/p.png'}]})['photos'][0]['value'], 'https://x.test/p.png')
    equal(patch({'op': 'remove', 'path': 'photos'})['photos'][0]['value'], '/user.png')
    equal(scim(s).post(V + '/Users', {'userName': 'FAY2@OPS.test', 'displayName': 'Again', 'emails': []}).status, 409)
    equal(scim(s).post(V + '/Users', {'userName': 'no address', 'displayName': 'x', 'emails': []}).status, 400)
    equal(scim(s).post(V + '/Users', {'userName': 'long@ops.test', 'displayName': 'x', 'emails': [], 'password': 'x' * 73}).status, 400)
    equal(scim(s).delete(path).status, 204)
    equal(fay.get('/api/v1/auths/').status, 401)


@test('scim: an account without a password cannot be signed in to')
def _(s):
    people(s)
    for password in ('', 'x', '!'):
        check(s.anyone().post('/api/v1/auths/signin', {'email': 'ann@filter.test', 'password': password}).status in (400, 422))


@test('scim: members in every way')
def _(s):
    ids = people(s)
    path = f"{V}/Groups/{scim(s).post(V + '/Groups', {'displayName': 'Ways', 'members': []}).json()['id']}"

    def patch(*operations, status=200):
        r = scim(s).request('PATCH', path, {'Operations': list(operations)})
        equal(r.status, status, r.text())
        return [m['value'] for m in r.json()['members']] if status == 200 else r.json()['scimType']
    equal(patch({'op': 'add', 'value': {'members': [{'value': ids['ann']}, {'value': ids['ben']}, {'value': ids['cat']}]}}), [ids['ann'], ids['ben'], ids['cat']])
    equal(patch({'op': 'remove', 'path': 'members', 'value': [{'value': ids['ann']}]}), [ids['ben'], ids['cat']])
    equal(patch({'op': 'remove', 'path': f'members[value eq "{ids["ben"]}" or display sw "Cat"]'}), [])
    equal(patch({'op': 'add', 'path': 'members', 'value': {'value': ids['eve']}}), [ids['eve']])
    equal(patch({'op': 'remove', 'path': 'displayName'}, status=400), 'mutability')
    equal(patch({'op': 'add', 'path': 'members', 'value': [{'display': 'x'}]}, status=400), 'invalidValue')
    equal(patch({'op': 'remove', 'path': 'members'}), [])
    tag = scim(s).get(path).headers['etag']
    equal(scim(s).request('PUT', path, {'displayName': 'Ways 2'}, headers={'If-Match': 'W/"x"'}).status, 412)
    equal(scim(s).request('PUT', path, {'displayName': 'Ways 2'}, headers={'If-Match': tag}).json()['displayName'], 'Ways 2')
    equal(scim(s).delete(path).status, 204)


@test('scim: members added at the same time all stay')
def _(s):
    ids = list(people(s).values())
    path = f"{V}/Groups/{scim(s).post(V + '/Groups', {'displayName': 'Crowd'}).json()['id']}"
    add = lambda id: scim(s).request('PATCH', path, {'Operations': [{'op': 'add', 'path': 'members', 'value': [{'value': id}]}]})
    threads = [threading.Thread(target=add, args=(id,)) for id in ids]
    [t.start() for t in threads]
    [t.join() for t in threads]
    equal(sorted(m['value'] for m in scim(s).get(path).json()['members']), sorted(ids))
    equal(scim(s).delete(path).status, 204)


@test('scim: the first administrator stays, other administrators keep their role')
def _(s):
    first, boss = f'{V}/Users/{s.admin().id}', s.user('boss', role='admin')
    equal(scim(s).request('PUT', first, {'active': False}).status, 403)
    equal(scim(s).request('PATCH', first, {'Operations': [{'op': 'replace', 'path': 'active', 'value': False}]}).status, 403)
    equal(scim(s).delete(first).status, 403)
    equal(scim(s).request('PUT', first, {'active': True}).status, 200)
    equal(s.admin().get('/api/v1/users/all').status, 200)
    equal(scim(s).request('PUT', f'{V}/Users/{boss.id}', {'active': True, 'displayName': 'Boss'}).status, 200)
    equal(boss.get('/api/v1/users/all').status, 200)
    equal(scim(s).request('PUT', f'{V}/Users/{boss.id}', {'active': False}).status, 200)
    equal(boss.get('/api/v1/users/all').status, 401)


@test('scim: what there is, one by one; what there is not')
def _(s):
    equal(s.anyone().get(V + '/ResourceTypes/User').json()['endpoint'], '/Users')
    equal(s.anyone().get(V + '/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group').json()['name'], 'Group')
    equal(s.anyone().get(V + '/ResourceTypes/Nothing').status, 404)
    equal(s.anyone().get(V + '/Schemas/urn:x').json()['status'], '404')
    equal(scim(s).get(V + '/Me').status, 501)
    equal(scim(s).post(V + '/Bulk', {'Operations': []}).status, 501)
    equal(s.anyone().post(V + '/Bulk', {}).status, 401)


@test('scim: a token of the service is none of a person, nor the other way round')
def _(s):
    equal(scim(s).get('/api/v1/auths/').status, 401)
    for path in ('/Users', '/Groups', f'/Users/{s.admin().id}'):
        equal(s.admin().get(V + path).status, 401)
        equal(s.anyone().get(V + path).status, 401)
        equal(Client(s.url, TOKEN[:-1]).get(V + path).status, 401)
        equal(s.anyone().get(V + path, headers={'Cookie': 'token=' + TOKEN}).status, 401)


@test('scim: filters over groups do not look through all groups once a user')
def _(s):
    with installation(s.web_server, 'sqlite') as many:
        many.admin()
        many.end()
        with contextlib.closing(sqlite3.connect(many.data + '/webui.db')) as db, db:
            ids = [f'{i:08x}-0000-4000-8000-000000000000' for i in range(6000)]
            db.executemany('INSERT INTO "user" (id, name, email, role, profile_image_url, created_at, updated_at, last_active_at) VALUES (?, ?, ?, ?, ?, 1, 1, 1)',
                           [(id, 'User ' + id[:8], id[:8] + '@many.test', 'user', '/user.png') for id in ids])
            db.executemany('INSERT INTO "group" (id, name, description, data, meta, permissions, user_ids, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, 1, 1)',
                           [(f'g{g}', f'G{g}', '', 'null', 'null', 'null', json.dumps(ids[g * 100:g * 100 + 2000])) for g in range(40)])
        many.start()
        start = time.monotonic()
        equal(found(many, 'groups.display eq "G7" and active eq true', '&count=100')['totalResults'], 2000)
        equal(found(many, f'members.value eq "{ids[150]}"', kind='Groups', more='&excludedAttributes=members')['totalResults'], 2)
        check(time.monotonic() - start < 5, f'{time.monotonic() - start:.1f} s')


@test('scim: switched off')
def _(s):
    with installation(s.web_server, 'sqlite', {'SCIM_ENABLED': 'false'}) as off:
        r = scim(off).get(V + '/Users')
        equal((r.status, r.json()['detail']), (403, 'SCIM is not enabled'))
    with installation(s.web_server, 'sqlite', {'SCIM_TOKEN': ''}) as off:
        equal(Client(off.url, 'x').get(V + '/Users').status, 401)


@test('scim: of first users made at the same time one is the administrator')
def _(s):
    with installation(s.web_server, 'sqlite') as fresh:
        make = lambda i: scim(fresh).post(V + '/Users', {'userName': f'u{i}@race.test', 'displayName': f'U{i}', 'emails': [], 'password': PASSWORD})
        threads = [threading.Thread(target=make, args=(i,)) for i in range(4)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        roles = [fresh.anyone().post('/api/v1/auths/signin', {'email': f'u{i}@race.test', 'password': PASSWORD}).json()['role'] for i in range(4)]
        equal(sorted(roles), ['admin', 'user', 'user', 'user'])


if __name__ == '__main__':
    main()
