#!/usr/bin/env python3
"""/api/v1/audio: settings, text to speech and what is kept of it, speech to text, lists."""
import contextlib, glob, hashlib, os, shutil, stat

from harness import *
from providers import *

CONFIG, SPEECH, TRANSCRIPTIONS = '/api/v1/audio/config', '/api/v1/audio/speech', '/api/v1/audio/transcriptions'
KEY = 'sk-audio-secret'
WAV = b'RIFF\x24\0\0\0WAVEfmt ' + bytes(60)


def settings(tts=None, stt=None):
    return {'tts': {'OPENAI_API_BASE_URL': 'http://127.0.0.1:9', 'OPENAI_API_KEY': KEY, 'API_KEY': KEY, 'ENGINE': 'openai', 'MODEL': 'tts-1', 'VOICE': 'alloy',
                    'SPLIT_ON': 'punctuation', 'AZURE_SPEECH_REGION': '', 'AZURE_SPEECH_BASE_URL': '', 'AZURE_SPEECH_OUTPUT_FORMAT': 'audio-24khz', **(tts or {})},
            'stt': {'OPENAI_API_BASE_URL': 'http://127.0.0.1:9', 'OPENAI_API_KEY': KEY, 'ENGINE': 'openai', 'MODEL': 'whisper-1', 'SUPPORTED_CONTENT_TYPES': [],
                    'WHISPER_MODEL': 'base', 'DEEPGRAM_API_KEY': KEY, 'AZURE_API_KEY': KEY, 'AZURE_REGION': '', 'AZURE_LOCALES': '', 'AZURE_BASE_URL': '',
                    'AZURE_MAX_SPEAKERS': '', **(stt or {})}}


@contextlib.contextmanager
def engine(s, tts=None, stt=None):
    before = s.admin().get(CONFIG).json()
    try:
        r = s.admin().post(CONFIG + '/update', settings(tts, stt))
        equal(r.status, 200, r.text())
        yield
    finally:
        equal(s.admin().post(CONFIG + '/update', before).json(), before)


def cached(s):
    return sorted(os.path.basename(f) for f in glob.glob(s.data + '/cache/audio/speech/*'))


four_sides('audio: config', 'GET', CONFIG, owner='admin')
four_sides('audio: models', 'GET', '/api/v1/audio/models', other_status=None)
four_sides('audio: voices', 'GET', '/api/v1/audio/voices', other_status=None)
four_sides('audio: speech', 'POST', SPEECH, {'input': 'hello', 'voice': 'alloy'}, wrong=[1], wrong_status=400, other_status=None)


@test('audio: config update: four sides')
def _(s):
    equal(s.anyone().post(CONFIG + '/update', settings()).status, 401)
    equal(s.user('bob').post(CONFIG + '/update', settings()).status, 401)
    for wrong in ({'tts': {}}, {**settings(), 'stt': []}, settings({'MODEL': 5}), settings(stt={'SUPPORTED_CONTENT_TYPES': 'audio/*'})):
        equal(s.admin().post(CONFIG + '/update', wrong).status, 422)
    with engine(s, {'VOICE': 'nova'}):
        equal(s.admin().get(CONFIG).json(), settings({'VOICE': 'nova'}))
        check(KEY not in s.user('ann').get('/api/config').text(), 'a key is shown')


# ---------------------------------------------------------------- text to speech

@test('audio: OpenAI speaks once; then the cache does, for everybody, under the digest that the Python backend uses')
def _(s):
    ann, bob = s.user('ann'), s.user('bob')
    body = json.dumps({'input': 'Grüße', 'voice': 'nova', 'model': 'other'}).encode()
    with Fake({'POST /audio/speech': (200, 'audio/mpeg', b'ID3\xff\xfb' + bytes(range(256)))}) as f, engine(s, {'OPENAI_API_BASE_URL': f.url, 'MODEL': 'tts-x'}):
        for who in (ann, ann, bob):
            r = who.request('POST', SPEECH, body=body, headers={'Content-Type': JSON})
            equal((r.status, r.headers['content-type'], r.body), (200, 'audio/mpeg', b'ID3\xff\xfb' + bytes(range(256))))
        equal(len(f.seen), 1)
        equal((f.last()[2]['authorization'], f.last()[3]), ('Bearer ' + KEY, {'input': 'Grüße', 'voice': 'nova', 'model': 'tts-x'}))
        name = hashlib.sha256(body + b'openai' + b'tts-x').hexdigest()
        check({name + '.mp3', name + '.json'} <= set(cached(s)), cached(s))
        equal(json.load(open(f'{s.data}/cache/audio/speech/{name}.json'))['input'], 'Grüße')
        equal(stat.S_IMODE(os.stat(f'{s.data}/cache/audio/speech/{name}.mp3').st_mode), 0o600)
        with engine(s, {'OPENAI_API_BASE_URL': f.url, 'MODEL': 'tts-y'}):
            ann.request('POST', SPEECH, body=body, headers={'Content-Type': JSON})
        equal(len(f.seen), 2, 'another model speaks differently')


@test('audio: a failure is told, and not kept')
def _(s):
    ann, before = s.user('ann'), cached(s)
    with Fake({}) as f, engine(s, {'OPENAI_API_BASE_URL': f.url}):
        for answer, status, detail in (((429, JSON, '{"error": {"message": "slow down"}}'), 429, 'External: slow down'), ((401, JSON, '{"error": "no"}'), 401, 'External: no'),
                                       ((500, 'text/html', '<b>'), 500, 'External: status 500'), ((200, 'audio/mpeg', ''), 500, 'External: status 200')):
            f.answers['POST /audio/speech'] = answer
            r = ann.post(SPEECH, {'input': f'fails {detail}'})
            equal((r.status, r.json()), (status, {'detail': detail}))
    with engine(s):
        r = ann.post(SPEECH, {'input': 'nobody there'})
        equal((r.status, r.json()), (500, {'detail': 'Open WebUI: Server Connection Error'}))
        for body in (b'{', b'', b'\xff', b'5', b'{"input": 5}', b'{}'):
            equal(ann.request('POST', SPEECH, body=body).status, 400, body)
    equal(cached(s), before)


@test('audio: Azure: the text is escaped')
def _(s):
    with Fake({'POST /cognitiveservices/v1': (200, 'audio/mpeg', 'ID3'),
               'GET /cognitiveservices/voices/list': (200, JSON, '[{"ShortName": "de-DE-X", "DisplayName": "X"}]')}) as f, \
            engine(s, {'ENGINE': 'azure', 'AZURE_SPEECH_BASE_URL': f.url, 'VOICE': 'de-DE-"X"'}):
        equal(s.user('ann').post(SPEECH, {'input': 'a < b & </voice>'}).status, 200)
        _, _, headers, body = f.seen[-1]
        equal((headers['ocp-apim-subscription-key'], headers['content-type'], headers['x-microsoft-outputformat']), (KEY, 'application/ssml+xml', 'audio-24khz'))
        equal(body.decode(), '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="de"><voice name="de-DE-&quot;X&quot;">a &lt; b &amp; &lt;/voice&gt;</voice></speak>')
        equal(s.user('ann').get('/api/v1/audio/voices').json(), {'voices': [{'id': 'de-DE-X', 'name': 'X (de-DE-X)'}]})


@test('audio: engines that are not here')
def _(s):
    for name, status in (('transformers', 501), ('', 400), ('nobody', 400)):
        with engine(s, {'ENGINE': name}):
            equal(s.user('ann').post(SPEECH, {'input': 'x'}).status, status, name)
            equal(s.user('ann').get('/api/v1/audio/models').json(), {'models': []})
            equal(s.user('ann').get('/api/v1/audio/voices').json(), {'voices': []})


@test('audio: models and voices, and the usual ones of an engine that gives none')
def _(s):
    ann = s.user('ann')
    with Fake({'GET /audio/models': (200, JSON, '{"models": [{"id": "m"}]}'), 'GET /audio/voices': (200, JSON, '{"voices": [{"id": "v", "name": "V"}]}')}) as f, \
            engine(s, {'OPENAI_API_BASE_URL': f.url}):
        equal((ann.get('/api/v1/audio/models').json(), ann.get('/api/v1/audio/voices').json()), ({'models': [{'id': 'm'}]}, {'voices': [{'id': 'v', 'name': 'V'}]}))
        f.answers.clear()
        equal(ann.get('/api/v1/audio/models').json(), {'models': [{'id': 'tts-1'}, {'id': 'tts-1-hd'}]})
        equal([v['id'] for v in ann.get('/api/v1/audio/voices').json()['voices']], ['alloy', 'echo', 'fable', 'onyx', 'nova', 'shimmer'])


# ---------------------------------------------------------------- speech to text

@test('audio: transcription: four sides')
def _(s):
    equal(s.anyone().upload(TRANSCRIPTIONS, 'a.wav', WAV, 'audio/wav').status, 401)
    equal(s.user('ann').post(TRANSCRIPTIONS, {}).status, 422)
    for type in ('text/plain', 'video/mp4', '', 'audio', 'xaudio/wav'):
        equal(s.user('ann').upload(TRANSCRIPTIONS, 'a.wav', WAV, type).status, 400, type)
    r = s.user('ann').upload(TRANSCRIPTIONS, 'a.wav', WAV, 'audio/wav')
    equal((r.status, r.json()['text']), (200, f'transcript of {len(WAV)} bytes'))


@test('audio: what the engine is sent; another try without the language; an ending of ours')
def _(s):
    ann = s.user('ann')
    with Fake({'POST /audio/transcriptions': (200, JSON, '{"text": " Hallo "}')}) as f, engine(s, stt={'OPENAI_API_BASE_URL': f.url}):
        r = ann.upload(TRANSCRIPTIONS, 'x/../"memo".php', WAV, 'audio/webm;codecs=opus', language='de')
        equal((r.status, r.json()['text']), (200, ' Hallo '))
        _, _, headers, body = f.seen[-1]
        equal(headers['authorization'], 'Bearer ' + KEY)
        check(b'name="model"\r\n\r\nwhisper-1\r\n' in body and b'name="language"\r\n\r\nde\r\n' in body and WAV in body, body)
        name = r.json()['filename']
        check(name.endswith('.bin') and len(name) == 40, name)
        equal(open(f'{s.data}/cache/audio/transcriptions/{name}', 'rb').read(), WAV)
        f.answers['POST /audio/transcriptions'] = (400, JSON, '{"error": {"message": "language?"}}')
        n = len(f.seen)
        r = ann.upload(TRANSCRIPTIONS, 'memo.wav', WAV, 'audio/wav', language='xx')
        equal((r.status, r.json()), (400, {'detail': '[ERROR: Error transcribing chunk: External: language?]'}))
        equal([b'name="language"' in b for _, _, _, b in f.seen[n:]], [True, False])
        for answer in ((200, JSON, '{}'), (200, 'text/plain', 'x'), (500, 'text/html', '<b>')):
            f.answers['POST /audio/transcriptions'] = answer
            equal(ann.upload(TRANSCRIPTIONS, 'memo.wav', WAV, 'audio/wav').status, 400)
    with engine(s, stt={'SUPPORTED_CONTENT_TYPES': ['audio/x-*', ' ']}):
        equal(ann.upload(TRANSCRIPTIONS, 'a.wav', WAV, 'audio/wav').json()['detail'][:5], 'Oops!')
        check('Connection' in ann.upload(TRANSCRIPTIONS, 'a.wav', WAV, 'audio/x-wav').json()['detail'], 'it is not tried')


@test('audio: Azure: what it is sent and what it says')
def _(s):
    url = 'POST /speechtotext/transcriptions:transcribe?api-version=2024-11-15'
    with Fake({url: (200, JSON, '{"combinedPhrases": [{"text": " Guten Tag "}]}')}) as f:
        with engine(s, stt={'ENGINE': 'azure', 'AZURE_BASE_URL': f.url, 'AZURE_LOCALES': 'de-DE,fr-FR', 'AZURE_MAX_SPEAKERS': '2'}):
            equal(s.user('ann').upload(TRANSCRIPTIONS, 'a.wav', WAV, 'audio/wav').json()['text'], 'Guten Tag')
            _, _, headers, body = f.seen[-1]
            check(headers['ocp-apim-subscription-key'] == KEY and b'{"locales":["de-DE","fr-FR"],"diarization":{"maxSpeakers":2,"enabled":true}}' in body, body)
        with engine(s, stt={'ENGINE': 'azure', 'AZURE_BASE_URL': f.url, 'AZURE_API_KEY': ''}):
            equal(s.user('ann').upload(TRANSCRIPTIONS, 'a.wav', WAV, 'audio/wav').status, 400)


@test('audio: a local Whisper is not here, and the answer says so')
def _(s):
    for name in ('', 'web', 'nobody'):
        with engine(s, stt={'ENGINE': name}):
            r = s.user('ann').upload(TRANSCRIPTIONS, 'a.wav', WAV, 'audio/wav')
            check(r.status == 501 and 'not available' in r.json()['detail'], f'{name}: {r}')


@test('audio: a long recording needs ffmpeg, and is then sent in pieces that the engine takes')
def _(s):
    rate = 44100
    long = b'RIFF' + (36 + rate * 2 * 260).to_bytes(4, 'little') + b'WAVEfmt \x10\0\0\0\1\0\1\0' + rate.to_bytes(4, 'little') + (rate * 2).to_bytes(4, 'little') + b'\2\0\x10\0data' \
        + (rate * 2 * 260).to_bytes(4, 'little') + bytes(rate * 2 * 260)
    with Fake({'POST /audio/transcriptions': (200, JSON, '{"text": "piece"}')}) as f, engine(s, stt={'OPENAI_API_BASE_URL': f.url}):
        r = s.user('ann').upload(TRANSCRIPTIONS, 'long.wav', long, 'audio/wav')
        if shutil.which('ffmpeg'):
            equal((r.status, r.json()['text']), (200, 'piece'))
            check(len(f.seen[-1][3]) < 20 * 1024 * 1024 and b'000.mp3' in f.seen[-1][3], 'it is sent as it is')
            r = s.user('ann').upload(TRANSCRIPTIONS, 'long.wav', bytes(21 * 1024 * 1024), 'audio/wav')
            equal((r.status, r.json()), (400, {'detail': '[ERROR: Error transcribing chunk: The recording could not be made smaller]'}))
        else:
            check(r.status == 501 and 'ffmpeg' in r.json()['detail'], r)
            equal(f.seen, [])
    equal([d for d in glob.glob(s.data + '/cache/audio/transcriptions/*') if os.path.isdir(d)], [])


if __name__ == '__main__':
    main()
