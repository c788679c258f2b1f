#!/usr/bin/env python3
"""No secret of a settings route is in a log, in the answer of a route that users reach, or in a process's arguments; not even when everything fails."""
import contextlib, glob, os, re, uuid

from harness import *

MARK = 'zq7'


def is_secret(name):
    return re.search(r'key|token|password|secret', name, re.I) and not re.search(r'max_tokens|tokens?_(size|limit)|_TOKENIZER|TOKEN_ENCODER', name, re.I)


def planted(value, found, name=''):
    """The settings with a mark of its own in each text that a name calls a secret; found: {mark: name}."""
    if isinstance(value, dict):
        return {k: planted(v, found, k) for k, v in value.items()}
    if isinstance(value, list) and is_secret(name):
        mark = MARK + uuid.uuid4().hex
        found[mark] = name
        return [mark] * max(1, len(value))
    if (isinstance(value, str) or value is None) and is_secret(name) and not re.search(r'_AUTH$|expir', name, re.I):
        mark = MARK + uuid.uuid4().hex
        found[mark] = name
        return mark
    return value


# Settings routes: where they are read, where they are written.
PAGES = [('/api/v1/images/config', '/api/v1/images/config/update'), ('/api/v1/audio/config', '/api/v1/audio/config/update'),
         ('/api/v1/configs/code_execution', '/api/v1/configs/code_execution'), ('/api/v1/retrieval/config', '/api/v1/retrieval/config/update'),
         ('/api/v1/retrieval/embedding', '/api/v1/retrieval/embedding/update'), ('/openai/config', '/openai/config/update'), ('/ollama/config', '/ollama/config/update'),
         ('/api/v1/auths/admin/config/ldap/server', '/api/v1/auths/admin/config/ldap/server')]


def engines_that_fail(admin):
    """Everything is asked for that uses these secrets; nothing is there to answer."""
    for method, path, body in (('GET', '/api/v1/images/models', None), ('GET', '/api/v1/images/config/url/verify', None), ('POST', '/api/v1/images/generations', {'prompt': 'x'}),
                               ('GET', '/api/v1/audio/voices', None), ('GET', '/api/v1/audio/models', None), ('POST', '/api/v1/audio/speech', {'input': 'x', 'voice': 'y'}),
                               ('POST', '/api/v1/utils/code/execute', {'code': '1'}), ('GET', '/openai/models/0', None), ('GET', '/ollama/api/tags/0', None), ('GET', '/api/models?refresh=true', None),
                               ('POST', '/api/v1/retrieval/process/web', {'url': 'http://127.0.0.1:9/'}), ('POST', '/api/v1/retrieval/process/web/search', {'queries': ['x']}),
                               ('POST', '/api/v1/retrieval/query/collection', {'collection_names': ['x'], 'query': 'x'}), ('POST', '/api/v1/auths/ldap', {'user': 'x', 'password': MARK + 'sign-in'}),
                               ('POST', '/api/v1/auths/signin', {'email': 'a@b.c', 'password': MARK + 'sign-in'}), ('POST', '/openai/verify', {'url': 'http://127.0.0.1:9', 'key': MARK + 'verify'}),
                               ('POST', '/ollama/verify', {'url': 'http://127.0.0.1:9', 'key': MARK + 'verify'})):
        admin.request(method, path, body, timeout=90)
    admin.upload('/api/v1/audio/transcriptions', 'a.wav', b'RIFF' + bytes(60), 'audio/wav')
    admin.upload('/api/v1/files/', 'a.txt', b'some text')


def logs():
    return {os.path.basename(path): open(path, encoding='utf-8', errors='replace').read() for path in glob.glob(LOGS + '/*.log')}


def arguments():
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        with contextlib.suppress(OSError):
            yield open(path, 'rb').read().decode('utf-8', 'replace')


@test('secrets: in no log, no argument and no answer to users, while everything that uses them fails')
def _(s):
    admin, found = s.admin(), {}
    for read, write in PAGES:
        before = len(found)
        page = admin.get(read)
        equal(page.status, 200, read)
        form = planted(page.json(), found)
        if read == '/ollama/config':
            form['OLLAMA_API_CONFIGS'] = {'0': {'key': MARK + 'ollama'}}
            found[MARK + 'ollama'] = 'key'
        if read.endswith('/code_execution'):
            form |= {'CODE_EXECUTION_ENGINE': 'jupyter', 'CODE_EXECUTION_JUPYTER_URL': 'http://127.0.0.1:9', 'CODE_EXECUTION_JUPYTER_AUTH': 'token'}
        if read.endswith('/images/config'):
            form['openai']['OPENAI_API_BASE_URL'] = form['automatic1111']['AUTOMATIC1111_BASE_URL'] = form['comfyui']['COMFYUI_BASE_URL'] = 'http://127.0.0.1:9'
        if read.endswith('/audio/config'):
            form['tts']['OPENAI_API_BASE_URL'] = form['stt']['OPENAI_API_BASE_URL'] = form['tts']['AZURE_SPEECH_BASE_URL'] = form['stt']['AZURE_BASE_URL'] = 'http://127.0.0.1:9'
        if read.endswith('/server'):
            form |= {'label': 'x', 'host': '127.0.0.1', 'port': 9, 'app_dn': 'cn=x', 'app_dn_password': MARK + 'ldap', 'search_base': 'dc=x', 'use_tls': False}
            found[MARK + 'ldap'] = 'app_dn_password'
        r = admin.post(write, form)
        equal(r.status, 200, f'{write}: {r.text()[:300]}')
        check(len(found) > before, f'{read} has no secret, or none that this test knows')
    for engine in ('openai', 'gemini', 'automatic1111', 'comfyui'):
        admin.post('/api/v1/images/config/update', {**admin.get('/api/v1/images/config').json(), 'enabled': True, 'engine': engine})
        admin.get('/api/v1/images/models')
        admin.post('/api/v1/images/generations', {'prompt': 'x'})
    for tts, stt in (('openai', 'openai'), ('azure', 'azure')):
        form = admin.get('/api/v1/audio/config').json()
        form['tts']['ENGINE'], form['stt']['ENGINE'] = tts, stt
        admin.post('/api/v1/audio/config/update', form)
        engines_that_fail(admin)
    for name, text in {**logs(), **{'arguments': '\n'.join(arguments())}}.items():
        for mark in [m for m in found if m in text] + re.findall(MARK + r'[\w-]+', text):
            raise AssertionError(f'{name} has {found.get(mark, mark)}')
    for path in ('/api/config', '/api/models', '/openai/models', '/ollama/api/tags', '/api/v1/audio/voices', '/api/v1/audio/models', '/api/v1/images/models', '/api/v1/tools/', '/api/version',
                 '/api/v1/users/user/settings', '/manifest.json', '/api/v1/configs/banners'):
        check(MARK not in s.user('ann').get(path).text(), path)


@test('secrets: wrong settings are refused without being repeated in a log')
def _(s):
    for _, write in PAGES:
        s.admin().post(write, {'OPENAI_API_KEY': [MARK + 'wrong'], 'tts': {'API_KEY': 5, 'OPENAI_API_KEY': MARK + 'wrong'}, 'key': MARK + 'wrong'})
    for name, text in logs().items():
        check(MARK not in text, name)


if __name__ == '__main__':
    main({'ENABLE_LDAP': 'true', 'GLOBAL_LOG_LEVEL': 'DEBUG', 'WEBUI_ACCESS_LOG': 'true'})
