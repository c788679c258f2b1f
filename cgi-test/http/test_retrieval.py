#!/usr/bin/env python3
"""/retrieval: settings, texts and pages into collections, questions to them, and whose they are."""
import contextlib, http.server, json, threading

from harness import *
from providers import *

PATH = '/api/v1/retrieval/'
PROHIBITED = 'You do not have permission to access this resource. Please contact your administrator for assistance.'


def text(name='t', content='Silver rain on tin roofs.', collection='tr-poems'):
    return {'name': name, 'content': content, 'collection_name': collection}


def ask(collection, query='rain on roofs', **more):
    return {'collection_name': collection, 'query': query, **more}


def put(who, content, collection):
    r = who.post(PATH + 'process/text', text(content=content, collection=collection))
    equal(r.status, 200, r.text())


def nearest(who, collection, query, **more):
    r = who.post(PATH + 'query/doc', ask(collection, query, **more))
    equal(r.status, 200, r.text())
    return r.json() and r.json()['documents'][0]


@contextlib.contextmanager
def settings(s, embedding=None, **changes):
    """Other settings for a while."""
    admin = s.admin()
    was, was_embedding = admin.get(PATH + 'config').json(), admin.get(PATH + 'embedding').json()
    try:
        if 'web' in changes:
            changes['web'] = {**was['web'], **changes['web']}
        r = admin.post(PATH + 'config/update', changes)
        equal(r.status, 200, r.text())
        if embedding:
            r = admin.post(PATH + 'embedding/update', {**was_embedding, **embedding})
            equal(r.status, 200, r.text())
        yield
    finally:
        equal(admin.post(PATH + 'config/update', was).status, 200)
        equal(admin.post(PATH + 'embedding/update', was_embedding).json(), was_embedding)
        equal(admin.get(PATH + 'config').json(), was)


four_sides('retrieval: status', 'GET', PATH, other_status=None)
four_sides('retrieval: config', 'GET', PATH + 'config', owner='admin')
four_sides('retrieval: embedding config', 'GET', PATH + 'embedding', owner='admin')
four_sides('retrieval: config update', 'POST', PATH + 'config/update', {'PDF_EXTRACT_IMAGES': False}, wrong={'TOP_K': 'many'}, owner='admin')
four_sides('retrieval: embedding update', 'POST', PATH + 'embedding/update', {'embedding_engine': 'nobody', 'embedding_model': 'm'},
           wrong={'embedding_engine': 'openai'}, works=400, owner='admin')
four_sides('retrieval: text', 'POST', PATH + 'process/text', text(), wrong={'name': 'a'}, other_status=None)
four_sides('retrieval: web', 'POST', PATH + 'process/web', {'url': 'nonsense'}, wrong={'url': 1}, works=400, other_status=None)
four_sides('retrieval: youtube', 'POST', PATH + 'process/youtube', {'url': 'nonsense'}, wrong={'url': 1}, works=400, other_status=None)
four_sides('retrieval: web search', 'POST', PATH + 'process/web/search', {'queries': ['x']}, wrong={'queries': 'x'}, works=400, other_status=None)
four_sides('retrieval: query', 'POST', PATH + 'query/doc', ask('tr-poems'), wrong={'query': 'x'}, other_status=None)
four_sides('retrieval: query several', 'POST', PATH + 'query/collection', {'collection_names': ['tr-poems'], 'query': 'x'}, wrong={'query': 'x'},
           other_status=None)
four_sides('retrieval: query by GET', 'GET', PATH + 'query?collection_name=tr-poems&query=rain', other_status=None)
four_sides('retrieval: vector', 'GET', PATH + 'ef/ships', other_status=None)
four_sides('retrieval: delete', 'POST', PATH + 'delete', {'collection_name': 'none', 'file_id': 'none'}, wrong={'file_id': 'x'}, owner='admin')
four_sides('retrieval: reset of the vectors', 'POST', PATH + 'reset/db', owner='admin')


@test('retrieval: a GET query answers what a POST does')
def _(s):
    ann = s.user('ann')
    put(ann, 'Golden hay in the barn.', 'tr-get')
    put(ann, 'Blue ink in a bottle.', 'tr-get')
    r = ann.get(PATH + 'query?collection_name=tr-get&query=hay%20in%20the%20barn&k=1')
    equal(r.json(), ann.post(PATH + 'query/doc', ask('tr-get', 'hay in the barn', k=1)).json())
    equal(r.json()['documents'], [['Golden hay in the barn.']])
    equal(ann.get(PATH + 'query?collection_name=tr-get').status, 422)
    equal(ann.get(PATH + 'query?query=x&collection_name=tr-get&k=x').status, 422)


@test('retrieval: a name of one\'s own means nothing to others')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    put(ann, 'The secret of ann.', 'tr-own')
    equal(nearest(bob, 'tr-own', 'secret of ann'), None)
    equal(bob.post(PATH + 'query/collection', {'collection_names': ['tr-own'], 'query': 'secret'}).json(),
          {'distances': [[]], 'documents': [[]], 'metadatas': [[]]})
    put(bob, 'What bob knows.', 'tr-own')
    equal(nearest(ann, 'tr-own', 'x', k=10), ['The secret of ann.'])
    equal(nearest(bob, 'tr-own', 'x', k=10), ['What bob knows.'])
    equal(nearest(s.admin(), 'tr-own', 'x'), None)


@test('retrieval: memories and files of others are refused, to read and to write')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    ann.post('/api/v1/memories/add', {'content': 'The secret of ann.'})
    for name in (f'user-memory-{ann.id}', 'file-no-such-file', 'file-', 'user-memory-'):
        for who in (bob, s.admin()):
            equal(who.post(PATH + 'query/doc', ask(name)).status, 403, name)
            equal(who.get(PATH + f'query?query=x&collection_name={name}').status, 403, name)
            equal(who.post(PATH + 'query/collection', {'collection_names': ['tr-poems', name], 'query': 'x'}).json(), {'detail': PROHIBITED}, name)
            equal(who.post(PATH + 'process/text', text(collection=name)).status, 403, name)
            equal(who.post(PATH + 'process/web', {'url': 'http://127.0.0.1:1/', 'collection_name': name}).status, 403, name)
    equal(nearest(ann, f'user-memory-{ann.id}', 'secret'), ['The secret of ann.'])


@test('retrieval: texts are cut by the settings')
def _(s):
    ann = s.user('ann')
    with settings(s, CHUNK_SIZE=20, CHUNK_OVERLAP=0):
        put(ann, 'one two three four five six seven', 'tr-cut')
        equal(sorted(nearest(ann, 'tr-cut', 'x', k=9)), ['five six seven', 'one two three four'])
    with settings(s, TEXT_SPLITTER='markdown_header'):
        put(ann, '# A\n\nunder a\n\n# B\n\nunder b', 'tr-md')
        equal(sorted(nearest(ann, 'tr-md', 'x', k=9)), ['# A  \nunder a', '# B  \nunder b'])
    with settings(s, TEXT_SPLITTER='nonsense'):
        equal(ann.post(PATH + 'process/text', text()).json(), {'detail': '[ERROR: Invalid text splitter]'})
    with settings(s, TEXT_SPLITTER='token'):
        equal(ann.post(PATH + 'process/text', text()).status, 501)
    with settings(s, CHUNK_SIZE=5, CHUNK_OVERLAP=10):
        equal(ann.post(PATH + 'process/text', text()).status, 400)
    for content in ('', ' \n\t'):
        r = ann.post(PATH + 'process/text', text(content=content, collection='tr-empty'))
        equal((r.status, r.json()['detail'][:30]), (400, 'The content provided is empty.'), repr(content))


@test('retrieval: an embedding server is asked in batches, and told who asks only if the settings say so')
def _(s):
    ann = s.user('ann')

    def vectors(n):
        return 200, JSON, json.dumps({'data': [{'embedding': [1, i, 0.5]} for i in range(n)]})
    with Fake({'POST /v1/embeddings': vectors(2)}) as f, \
            settings(s, embedding={'embedding_batch_size': 2, 'openai_config': {'url': f.url + '/v1', 'key': 'sk-embed'}}, CHUNK_SIZE=4, CHUNK_OVERLAP=0):
        put(ann, 'aa\n\nbb\n\ncc\n\ndd', 'tr-batch')
        bodies = [json.loads(body) for _, _, _, body in f.seen]
        equal(sorted(b['input'] for b in bodies), [['aa', 'bb'], ['cc', 'dd']])
        equal(f.seen[0][2]['authorization'], 'Bearer sk-embed')
        check('x-openwebui-user-id' not in f.seen[0][2])
        f.answers['POST /v1/embeddings'] = vectors(1)
        r = ann.post(PATH + 'process/text', text(content='aa\n\nbb', collection='tr-batch'))
        equal((r.status, r.json()['detail']), (400, 'The embedding server answered with 1 vectors for 2 texts'))
        for status, body in ((500, '{}'), (200, 'no JSON'), (200, '[]'), (200, '{"data":[]}'), (200, '{"data":[{"embedding":[]}]}'),
                             (200, '{"data":[{"embedding":"AAAA"}]}'), (200, '{"data":[{"embedding":[1,2]},{"embedding":[1]}]}')):
            f.answers['POST /v1/embeddings'] = status, JSON, body
            equal(ann.post(PATH + 'process/text', text(collection='tr-bad')).status, 400, body)
            equal(ann.post(PATH + 'query/doc', ask('tr-batch')).status, 400, body)
    equal(nearest(ann, 'tr-bad', 'x'), None)


@test('retrieval: vectors of another model are not mixed in, nor found')
def _(s):
    ann = s.user('ann')
    put(ann, 'By the first model.', 'tr-models')
    with Fake({'POST /api/embed': (200, JSON, '{"embeddings": [[1, 2]]}')}) as f, \
            settings(s, embedding={'embedding_engine': 'ollama', 'ollama_config': {'url': f.url, 'key': 'k'}}):
        equal(ann.post(PATH + 'query/doc', ask('tr-models')).json(), None)
        r = ann.post(PATH + 'process/text', text(collection='tr-models'))
        equal(r.status, 400)
        check(r.json()['detail'].endswith(', got 2'), r)
    equal(nearest(ann, 'tr-models', 'first model'), ['By the first model.'])


@test('retrieval: Azure is asked as Azure wants it')
def _(s):
    ann = s.user('ann')
    with Fake({'POST /openai/deployments/dep/embeddings?api-version=2024-02-01': (200, JSON, '{"data": [{"embedding": [1, 2]}]}')}) as f, \
            settings(s, embedding={'embedding_engine': 'azure_openai', 'embedding_model': 'dep',
                                   'azure_openai_config': {'url': f.url, 'key': 'k1', 'version': '2024-02-01'}}):
        equal(len(ann.get(PATH + 'ef/ships').json()['result']), 2)
        _, _, headers, body = f.last()
        equal((headers['api-key'], body), ('k1', {'input': ['ships']}))


@test('retrieval: hybrid search finds by words, and a reranker orders')
def _(s):
    ann = s.user('ann')
    for content in ('Copper pans hang in rows.', 'The zyzzyva is a weevil.', 'Frogs sing at night.', 'Roses grow by the wall.'):
        put(ann, content, 'tr-hybrid')
    with settings(s, ENABLE_RAG_HYBRID_SEARCH=True, HYBRID_BM25_WEIGHT=0.5, TOP_K=3, TOP_K_RERANKER=3):
        r = ann.post(PATH + 'query/doc', ask('tr-hybrid', 'zyzzyva is', k=2)).json()
        equal(r['documents'][0][0], 'The zyzzyva is a weevil.')
        equal((len(r['documents'][0]), r['metadatas'][0][0]['score'], 'ids' in r), (2, r['distances'][0][0], False))
        equal(nearest(ann, 'tr-hybrid', 'zyzzyva is', hybrid=False)[0], 'The zyzzyva is a weevil.')
        check('ids' in ann.post(PATH + 'query/doc', ask('tr-hybrid', 'x', hybrid=False)).json())
        equal(ann.post(PATH + 'query/doc', ask('tr-none', 'x')).json(), None)
        equal(ann.post(PATH + 'query/collection', {'collection_names': ['tr-hybrid', 'tr-none'], 'query': 'zyzzyva is'}).json()['documents'][0][0],
              'The zyzzyva is a weevil.')
    scores = {'results': [{'index': 0, 'relevance_score': 0.1}, {'index': 1, 'relevance_score': 0.9}, {'index': 2, 'relevance_score': 0.5}]}
    with Fake({'POST /rerank': (200, JSON, json.dumps(scores))}) as f, \
            settings(s, ENABLE_RAG_HYBRID_SEARCH=True, RAG_RERANKING_ENGINE='external', RAG_RERANKING_MODEL='judge', HYBRID_BM25_WEIGHT=1,
                     RAG_EXTERNAL_RERANKER_URL=f.url + '/rerank', RAG_EXTERNAL_RERANKER_API_KEY='k2', TOP_K=3, RELEVANCE_THRESHOLD=0.2):
        r = ann.post(PATH + 'query/doc', ask('tr-hybrid', 'frogs', k_reranker=9)).json()
        _, _, headers, body = f.last()
        equal((headers['authorization'], body['model'], body['query'], body['top_n']), ('Bearer k2', 'judge', 'frogs', 3))
        equal((r['documents'], r['distances']), ([[body['documents'][1], body['documents'][2]]], [[0.9, 0.5]]))
        f.answers['POST /rerank'] = 500, JSON, '{}'
        equal(ann.post(PATH + 'query/doc', ask('tr-hybrid', 'frogs', r=0.0001)).status, 200)


PAGE = '<html lang="en"><head><title>A page</title><meta name="description" content="About it"></head><body><p>Words of a page.</p><script>no()</script></body></html>'


@test('retrieval: a page becomes a collection, and replaces it the next time')
def _(s):
    ann = s.user('ann')
    with Fake({'GET /a': (200, 'text/html; charset=utf-8', PAGE), 'GET /plain': (200, 'text/plain', 'Only words <p>.')}) as f:
        r = ann.post(PATH + 'process/web', {'url': f.url + '/a', 'collection_name': 'tr-page'})
        equal(r.json(), {'status': True, 'collection_name': 'tr-page', 'filename': f.url + '/a',
                         'file': {'data': {'content': 'A pageWords of a page.'}, 'meta': {'name': f.url + '/a', 'source': f.url + '/a'}}})
        got = ann.post(PATH + 'query/doc', ask('tr-page', 'words')).json()
        equal({k: got['metadatas'][0][0][k] for k in ('source', 'title', 'description', 'language')},
              {'source': f.url + '/a', 'title': 'A page', 'description': 'About it', 'language': 'en'})
        f.answers['GET /a'] = 200, 'text/html', '<p>New words.</p>'
        ann.post(PATH + 'process/web', {'url': f.url + '/a', 'collection_name': 'tr-page'})
        equal(nearest(ann, 'tr-page', 'words', k=9), ['New words.'])
        equal(ann.post(PATH + 'process/web', {'url': f.url + '/plain', 'collection_name': 'tr-page'}).json()['file']['data'], {'content': 'Only words <p>.'})
        for kind, body in (('image/png', 'x'), ('text/html', '')):
            f.answers['GET /b'] = 200, kind, body
            r = ann.post(PATH + 'process/web', {'url': f.url + '/b'})
            equal((r.status, r.json()['detail'][:38]), (400, '[ERROR: The content provided is empty.'), kind)
        with settings(s, web={'BYPASS_WEB_SEARCH_EMBEDDING_AND_RETRIEVAL': True}):
            equal(ann.post(PATH + 'process/web', {'url': f.url + '/a'}).json()['collection_name'], None)


class Leads(http.server.BaseHTTPRequestHandler):
    """/r/N leads to a page over N redirects, /file to a file, /loop to itself."""

    def do_GET(self):
        n = int(self.path[3:]) if self.path.startswith('/r/') else -1
        to = {'/file': 'file:///etc/passwd', '/loop': '/loop'}.get(self.path, f'/r/{n - 1}')
        self.send_response(200 if n == 0 else 302)
        self.send_header('Content-Type', 'text/html')
        if n:
            self.send_header('Location', to)
        self.end_headers()
        self.wfile.write(b'<p>At the end.</p>' if n == 0 else b'')

    def log_message(self, *_):
        pass


@test('retrieval: redirects are followed, five at most, and to pages only')
def _(s):
    ann, server = s.user('ann'), http.server.ThreadingHTTPServer(('127.0.0.1', 0), Leads)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for path, status in (('/r/0', 200), ('/r/5', 200), ('/r/6', 400), ('/loop', 400), ('/file', 400)):
            r = ann.post(PATH + 'process/web', {'url': f'http://127.0.0.1:{server.server_port}{path}', 'collection_name': 'tr-leads'})
            equal((r.status, 'root:' in r.text()), (status, False), path)
        equal(nearest(ann, 'tr-leads', 'end'), ['At the end.'])
    finally:
        server.shutdown()
        server.server_close()


def searxng(query):
    return f'GET /search?q={query}&format=json&pageno=1&safesearch=1&language=en-US&time_range=&categories=&theme=simple&image_proxy=0'


@test('retrieval: the web is searched, what is found is loaded')
def _(s):
    ann = s.user('ann')
    with Fake({}) as f:
        found = {'results': [{'url': f.url + '/b', 'title': 'B', 'content': 'about b', 'score': 1}, {'url': f.url + '/a', 'title': 'A', 'score': 5},
                             {'url': f.url + '/gone', 'title': 'G', 'content': 'c', 'score': 0.5}, {'url': 'http://elsewhere.test/x', 'score': 9}]}
        f.answers |= {searxng('ships%20%26'): (200, JSON, json.dumps(found)), searxng('none'): (200, JSON, '{}'), 'GET /a': (200, 'text/html', PAGE),
                      'GET /b': (200, 'text/html', '<p>Words of b.</p>')}
        web = {'ENABLE_WEB_SEARCH': True, 'WEB_SEARCH_ENGINE': 'searxng', 'SEARXNG_QUERY_URL': f.url + '/search', 'WEB_SEARCH_RESULT_COUNT': 3,
               'WEB_SEARCH_DOMAIN_FILTER_LIST': [f.url.split('//')[1]]}
        with settings(s, web=web):
            r = ann.post(PATH + 'process/web/search', {'queries': ['ships &', 'none']}).json()
            equal((r['status'], r['loaded_count'], r['filenames'][:2]), (True, 3, [f.url + '/a', f.url + '/b']))
            equal(r['items'][:2], [{'link': f.url + '/a', 'title': 'A', 'snippet': None}, {'link': f.url + '/b', 'title': 'B', 'snippet': 'about b'}])
            name = r['collection_names'][0]
            check(name.startswith('web-search-') and len(name) == 63, name)
            equal(nearest(ann, name, 'words of b', k=1), ['Words of b.'])
            equal(nearest(s.user('bob'), name, 'words of b'), None)
            equal(ann.post(PATH + 'process/web/search', {'queries': ['none'] * 51}).json(), {'detail': 'More than 50 queries at once'})
            f.answers[searxng('bad')] = 500, JSON, '{}'
            equal(ann.post(PATH + 'process/web/search', {'queries': ['bad']}).json(), {'detail': 'The search engine answered with status 500'})
        with settings(s, web={**web, 'BYPASS_WEB_SEARCH_WEB_LOADER': True, 'BYPASS_WEB_SEARCH_EMBEDDING_AND_RETRIEVAL': True}):
            r = ann.post(PATH + 'process/web/search', {'queries': ['ships &']}).json()
            equal((r['collection_name'], [d['content'] for d in r['docs']]), (None, ['about b', 'c']))
        for engine, status in (('duckduckgo', 501), ('sougou', 501), ('brave', 400), ('nobody', 400), ('', 400)):
            with settings(s, web={**web, 'WEB_SEARCH_ENGINE': engine}):
                equal(ann.post(PATH + 'process/web/search', {'queries': ['x']}).status, status, engine)
        with settings(s, web={**web, 'WEB_LOADER_ENGINE': 'playwright'}):
            equal(ann.post(PATH + 'process/web', {'url': f.url + '/a'}).status, 501)


@test('retrieval: services that search and load are asked in their own way')
def _(s):
    ann = s.user('ann')
    with Fake({'POST /ext': (200, JSON, json.dumps([{'link': 'http://a.test/', 'title': 'A', 'snippet': 's'}])),
               'POST /load': (200, JSON, json.dumps([{'page_content': 'Loaded words.', 'metadata': {'source': 'http://a.test/'}}]))}) as f:
        with settings(s, web={'WEB_SEARCH_ENGINE': 'external', 'EXTERNAL_WEB_SEARCH_URL': f.url + '/ext', 'EXTERNAL_WEB_SEARCH_API_KEY': 'k3',
                              'WEB_LOADER_ENGINE': 'external', 'EXTERNAL_WEB_LOADER_URL': f.url + '/load', 'EXTERNAL_WEB_LOADER_API_KEY': 'k4'}):
            r = ann.post(PATH + 'process/web/search', {'queries': ['x']}).json()
            equal((r['filenames'], r['loaded_count']), (['http://a.test/'], 1))
            equal([(path, headers['authorization'], json.loads(body)) for _, path, headers, body in f.seen],
                  [('/ext', 'Bearer k3', {'query': 'x', 'count': 3}), ('/load', 'Bearer k4', {'urls': ['http://a.test/']})])


@test('retrieval: settings: what is left out stays, of web search all is given at once')
def _(s):
    admin = s.admin()
    was = admin.get(PATH + 'config').json()
    try:
        r = admin.post(PATH + 'config/update', {'TOP_K': 9, 'FILE_MAX_SIZE': 5}).json()
        equal((r['TOP_K'], r['FILE_MAX_SIZE'], r['CHUNK_SIZE']), (9, 5, was['CHUNK_SIZE']))
        r = admin.post(PATH + 'config/update', {'web': {'WEB_SEARCH_ENGINE': 'brave', 'YOUTUBE_LOADER_TRANSLATION': 'de'}}).json()
        equal((r['TOP_K'], r['FILE_MAX_SIZE']), (9, None))
        equal((r['web']['WEB_SEARCH_ENGINE'], r['web']['BRAVE_SEARCH_API_KEY'], r['web']['WEB_SEARCH_DOMAIN_FILTER_LIST'],
               r['web']['YOUTUBE_LOADER_TRANSLATION']), ('brave', None, [], 'de'))
        equal(admin.post(PATH + 'config/update', {'web': {'WEB_SEARCH_RESULT_COUNT': 'x'}}).status, 422)
    finally:
        equal(admin.post(PATH + 'config/update', was).status, 200)
    equal(admin.get(PATH + 'config').json(), was)


@test('retrieval: many at once write into one collection, nothing is lost')
def _(s):
    ann, failures = s.user('ann'), []

    def work(i):
        for k in range(5):
            r = ann.post(PATH + 'process/text', text(content=f'word{i}x{k}', collection='tr-many'))
            if r.status != 200:
                failures.append(r)
    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal(failures, [])
    equal(len(nearest(ann, 'tr-many', 'x', k=100)), 30)


main({'TIKTOKEN_ENCODING_NAME': 'p50k_base'})    # one that is not here
