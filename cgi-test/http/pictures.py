"""Pictures for tests, and image engines for a while."""
import base64, contextlib

from harness import equal

CONFIG, PICTURES, GENERATE = '/api/v1/images/config', '/api/v1/images/image/config', '/api/v1/images/generations'
PNG = base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')
JPEG, WEBP, GIF = b'\xff\xd8\xff\xe0' + bytes(40), b'RIFF\x20\0\0\0WEBPVP8 ' + bytes(40), b'GIF89a' + bytes(40)
KEY = 'sk-image-secret'


def b64(b):
    return base64.b64encode(b).decode()


def settings(**more):
    """A whole form; openai, automatic1111, comfyui and gemini take the members that differ."""
    form = {'enabled': True, 'engine': 'openai', 'prompt_generation': True,
            'openai': {'OPENAI_API_BASE_URL': 'http://127.0.0.1:9/v1', 'OPENAI_API_VERSION': '', 'OPENAI_API_KEY': KEY},
            'automatic1111': {'AUTOMATIC1111_BASE_URL': '', 'AUTOMATIC1111_API_AUTH': '', 'AUTOMATIC1111_CFG_SCALE': None, 'AUTOMATIC1111_SAMPLER': None,
                              'AUTOMATIC1111_SCHEDULER': None},
            'comfyui': {'COMFYUI_BASE_URL': '', 'COMFYUI_API_KEY': KEY, 'COMFYUI_WORKFLOW': '{}', 'COMFYUI_WORKFLOW_NODES': []},
            'gemini': {'GEMINI_API_BASE_URL': '', 'GEMINI_API_KEY': KEY}}
    return {k: {**v, **more[k]} if isinstance(v, dict) and k in more else more.get(k, v) for k, v in form.items()}


@contextlib.contextmanager
def engine(s, model='', size='512x512', steps=50, **more):
    admin = s.admin()
    before, pictures = admin.get(CONFIG).json(), admin.get(PICTURES).json()
    try:
        r = admin.post(CONFIG + '/update', settings(**{**more, 'engine': 'openai'}))
        equal(r.status, 200, r.text())
        r = admin.post(PICTURES + '/update', {'MODEL': model, 'IMAGE_SIZE': size, 'IMAGE_STEPS': steps})
        equal(r.status, 200, r.text())
        r = admin.post(CONFIG + '/update', settings(**more))
        equal(r.status, 200, r.text())
        yield
    finally:
        admin.post(CONFIG + '/update', settings())
        admin.post(PICTURES + '/update', pictures)
        equal(admin.post(CONFIG + '/update', before).json(), before)
