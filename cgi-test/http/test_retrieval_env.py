#!/usr/bin/env python3
"""/retrieval under other settings of the environment: pages of the public Internet only, prefixes of what is embedded, users named to the server."""
import json

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


@test('prefixes: texts and questions have theirs, memories none; the server is told who asks')
def _(s):
    ann = s.user('ann')
    was = s.admin().get(PATH + 'embedding').json()
    with Fake({'POST /v1/embeddings': (200, 'application/json', '{"data": [{"embedding": [1, 2]}]}')}) as f:
        try:
            s.admin().post(PATH + 'embedding/update', {**was, 'openai_config': {'url': f.url + '/v1', 'key': 'k'}})
            ann.post(PATH + 'process/text', {'name': 'n', 'content': 'two\nlines', 'collection_name': 'tp'})
            ann.post(PATH + 'query/doc', {'collection_name': 'tp', 'query': 'which?'})
            ann.post('/api/v1/memories/add', {'content': 'mine'})
            equal([json.loads(body)['input'] for _, _, _, body in f.seen], [['c: two lines'], ['q: which?'], ['mine']])
            for _, _, headers, _ in f.seen:
                equal((headers['x-openwebui-user-id'], headers['x-openwebui-user-email'], headers['x-openwebui-user-role']), (ann.id, 'ann@test.test', 'user'))
        finally:
            equal(s.admin().post(PATH + 'embedding/update', was).json(), was)


main({'ENABLE_RAG_LOCAL_WEB_FETCH': 'false', 'RAG_EMBEDDING_QUERY_PREFIX': 'q: ', 'RAG_EMBEDDING_CONTENT_PREFIX': 'c: ',
      'ENABLE_FORWARD_USER_INFO_HEADERS': 'true'})
