#!/usr/bin/env python3
"""/retrieval fetches pages of the public Internet only, unless the settings say otherwise."""
from harness import *
from providers import Fake

PATH = '/api/v1/retrieval/'
EMPTY = '[ERROR: The content provided is empty. Please ensure that there is text or data present before proceeding.]'


@test('public: what is not on the public Internet is not fetched, under any name')
def _(s):
    ann = s.user('ann')
    with Fake({'GET /a': (200, 'text/html', '<p>inside</p>')}) as f:
        port = f.url.rsplit(':', 1)[1]
        for host in ('127.0.0.1', 'localhost', '0.0.0.0', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '[::]',
                     'a:b@127.0.0.1', '127.0.0.1.', '10.0.0.1', '169.254.169.254', '192.168.1.1', '[fe80::1]', '[fd00::1]', '100.64.0.1'):
            r = ann.post(PATH + 'process/web', {'url': f'http://{host}:{port}/a'}, timeout=90)
            equal((r.status, r.json()), (400, {'detail': EMPTY}), host)
        for url in ('file:///etc/passwd', 'gopher://127.0.0.1/', f'ftp://127.0.0.1:{port}/a', f'http://127.0.0.1:{port}/a\r\nHost: x', '//127.0.0.1/a', ''):
            equal(ann.post(PATH + 'process/web', {'url': url}).status, 400, url)
        equal(f.seen, [])


main({'ENABLE_RAG_LOCAL_WEB_FETCH': 'false'})
