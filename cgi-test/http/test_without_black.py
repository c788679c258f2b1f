#!/usr/bin/env python3
"""/api/v1/utils/code/format on a server without the program black: the source stays as it is, so that tools and functions can be saved."""
from harness import *

F = '/api/v1/utils/code/format'


@test('format without black: the source stays as it is')
def _(s):
    r = s.admin().post(F, {'code': 'x=  1\nclass Tools: pass'})
    equal((r.status, r.json()), (200, {'code': 'x=  1\nclass Tools: pass'}), r.text())


@test('format without black: what is no Python is refused, with its line')
def _(s):
    for code, part in (('def (:', "'(' was never closed"), ('x = (\n1', "'(' was never closed (line 1)"), ('a b', 'invalid syntax (line 1)')):
        r = s.admin().post(F, {'code': code})
        equal(r.status, 400, code)
        check(part in r.json()['detail'], r.text())


if __name__ == '__main__':
    main({'PATH': '/usr/sbin:/sbin'})
