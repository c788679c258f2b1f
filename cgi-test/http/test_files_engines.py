#!/usr/bin/env python3
"""Documents that another server reads: what is sent to each engine of CONTENT_EXTRACTION_ENGINE, and what becomes of its answers, good and bad."""
import http.server, json, os, sys, threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *

F = '/api/v1/files/'
PDF = b'%PDF-1.4 a document'


class Engine:
    """A server that answers as it is told: answers is a list of (status, headers, body), one a request; seen has what came."""

    def __init__(self):
        self.answers, self.seen = [], []
        engine = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                engine.seen.append({'method': self.command, 'path': self.path, 'headers': {k.lower(): v for k, v in self.headers.items()}, 'body': body})
                status, headers, text = engine.answers.pop(0) if engine.answers else (500, {}, 'nothing more')
                data = text if isinstance(text, bytes) else (json.dumps(text) if not isinstance(text, str) else text).encode()
                self.send_response(status)
                for k, v in headers.items():
                    self.send_header(k, v)
                self.send_header('Content-Length', str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


E = Engine()


def choose(s, engine, **settings):
    """Makes these the settings below "rag"."""
    admin = s.admin()
    document = admin.get('/api/v1/configs/export').json()
    document.setdefault('rag', {}).update({'CONTENT_EXTRACTION_ENGINE': engine, **settings})
    r = admin.post('/api/v1/configs/import', {'config': document})
    equal(r.status, 200, r.text()[:300])


def read(s, answers, name='doc.pdf', content=PDF, type='application/pdf'):
    """Uploads a file that the engine answers so; its row afterwards."""
    ann = s.user('ann')
    E.answers, E.seen[:] = list(answers), []
    r = ann.upload(F + '?process_in_background=false', name, content, type)
    equal(r.status, 200, r.text())
    return ann.get(F + r.json()['id']).json()


def text(f):
    equal(f['data']['status'], 'completed', f['data'])
    return f['data']['content']


def failure(f):
    equal(f['data']['status'], 'failed', f['data'])
    return f['data']['error']


@test('Tika: what is sent, and its text')
def _(s):
    choose(s, 'tika', tika_server_url=E.url + '/')
    equal(text(read(s, [(200, {}, {'X-TIKA:content': '\n words of Tika \n', 'Content-Type': 'application/pdf'})])), 'words of Tika')
    seen = E.seen[0]
    equal((seen['method'], seen['path'], seen['body'], seen['headers']['content-type']), ('PUT', '/tika/text', PDF, 'application/pdf'))
    equal(text(read(s, [], 'plain.py', b'x = 1\n', 'application/octet-stream')), 'x = 1\n')
    equal(E.seen, [], 'source code needs no engine')


@test('Tika: an error, nonsense, and nobody there')
def _(s):
    choose(s, 'tika', tika_server_url=E.url)
    check('422' in failure(read(s, [(422, {}, 'cannot parse')])))
    check('Tika' in failure(read(s, [(200, {}, 'no json')])))
    choose(s, 'tika', tika_server_url='http://127.0.0.1:9')
    check('Tika' in failure(read(s, [])))


@test('an external loader: one document, and several')
def _(s):
    choose(s, 'external', external_document_loader_url=E.url + '/', external_document_loader_api_key='sk-load')
    equal(text(read(s, [(200, {}, {'page_content': 'one page', 'metadata': {'page': 3}})], 'über.pdf')), 'one page')
    seen = E.seen[0]
    equal((seen['method'], seen['path'], seen['headers']['authorization'], seen['headers']['x-filename']), ('PUT', '/process', 'Bearer sk-load', '%C3%BCber.pdf'))
    equal(text(read(s, [(200, {}, [{'page_content': 'a', 'metadata': {}}, {'page_content': 'b', 'metadata': None}])])), 'a b')
    equal(text(read(s, [(200, {}, {'page_content': 'a picture of words'})], 'p.png', b'\x89PNG', 'image/png')), 'a picture of words')
    check('No content returned' in failure(read(s, [(200, {}, [])])))
    check('500' in failure(read(s, [(500, {}, {'detail': 'broken'})])))


@test('Docling: the form and its Markdown')
def _(s):
    choose(s, 'docling', docling_server_url=E.url)
    equal(text(read(s, [(200, {}, {'document': {'md_content': '# Docling'}})])), '# Docling')
    seen = E.seen[0]
    equal((seen['method'], seen['path']), ('POST', '/v1/convert/file'))
    check(PDF in seen['body'] and b'name="image_export_mode"\r\n\r\nplaceholder' in seen['body'] and b'name="files"; filename="doc.pdf"' in seen['body'], seen['body'])
    check('bad file' in failure(read(s, [(400, {}, {'detail': 'bad file'})])))


@test('Docling: a name cannot add a field')
def _(s):
    choose(s, 'docling', docling_server_url=E.url)
    text(read(s, [(200, {}, {'document': {'md_content': 'x y'}})], 'a%22; name=%22evil.pdf'.replace('%22', '')))
    equal(E.seen[0]['body'].count(b'name="files"'), 1)


@test('Datalab Marker: asked until it is done')
def _(s):
    choose(s, 'datalab_marker', datalab_marker_api_key='dl-key', datalab_marker_api_base_url=E.url + '/marker')
    answers = [(200, {}, {'success': True, 'request_id': 'r1', 'request_check_url': E.url + '/marker/r1'}), (200, {}, {'status': 'processing'}),
               (200, {}, {'status': 'complete', 'success': True, 'markdown': '# Marker', 'page_count': 2})]
    equal(text(read(s, answers)), '# Marker')
    equal([(x['method'], x['path'], x['headers']['x-api-key']) for x in E.seen], [('POST', '/marker', 'dl-key'), ('GET', '/marker/r1', 'dl-key'), ('GET', '/marker/r1', 'dl-key')])
    equal(text(read(s, [(200, {}, {'success': True, 'output': 'at once'})])), 'at once')
    check('no luck' in failure(read(s, [(200, {}, {'success': False, 'error': 'no luck'})])))


@test('Document Intelligence: asked at the place that it names')
def _(s):
    choose(s, 'document_intelligence', document_intelligence_endpoint=E.url, document_intelligence_key='az-key')
    answers = [(202, {'Operation-Location': E.url + '/results/1'}, ''), (200, {}, {'status': 'running'}), (200, {}, {'status': 'succeeded', 'analyzeResult': {'content': '# Azure'}})]
    equal(text(read(s, answers)), '# Azure')
    check(E.seen[0]['path'].startswith('/documentintelligence/documentModels/prebuilt-layout:analyze?'), E.seen[0]['path'])
    equal([x['headers']['ocp-apim-subscription-key'] for x in E.seen], ['az-key'] * 3)
    choose(s, 'document_intelligence', document_intelligence_endpoint=E.url, document_intelligence_key='')
    check('key' in failure(read(s, [])))


@test('Mistral OCR: the file goes there, is read, and is deleted')
def _(s):
    choose(s, 'mistral_ocr', mistral_ocr_api_key='mi-key')
    pages = {'pages': [{'index': 0, 'markdown': 'first '}, {'index': 1, 'markdown': ''}, {'index': 2, 'markdown': 'third'}]}
    equal(text(read(s, [(200, {}, {'id': 'f 1'}), (200, {}, {'url': 'https://signed'}), (200, {}, pages), (200, {}, {})])), 'first third')
    equal([(x['method'], x['path']) for x in E.seen], [('POST', '/files'), ('GET', '/files/f%201/url?expiry=1'), ('POST', '/ocr'), ('DELETE', '/files/f%201')])
    equal(json.loads(E.seen[2]['body'])['document'], {'type': 'document_url', 'document_url': 'https://signed'})
    failure(read(s, [(200, {}, {'id': 'f2'}), (500, {}, 'x'), (200, {}, {})]))
    equal(E.seen[-1]['method'], 'DELETE')


main(env={'MISTRAL_OCR_API_BASE_URL': E.url})
