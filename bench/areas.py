"""A list and a read by id of each area of the API, with thirty rows in it."""

import json, uuid

ROWS = 30
TOOL = '''"""
title: Bench tool
"""
class Tools:
    def add(self, a: int, b: int) -> int:
        """
        Adds two numbers.
        :param a: one
        :param b: the other
        """
        return a + b
'''
FUNCTION = '''"""
title: Bench filter
"""
class Filter:
    def inlet(self, body: dict) -> dict:
        return body
'''

# area: (route that makes one, its form with "#" for the number, the member of the answer by which it is read)
SEEDS = {
    'prompt': ('/api/v1/prompts/create', {'command': '/bench#', 'title': 'Bench #', 'content': 'Do this and that.'}, 'command'),
    'model': (
        '/api/v1/models/create',
        {'id': 'bench-#', 'base_model_id': 'stub-small', 'name': 'Bench #', 'meta': {'description': 'One'}, 'params': {}},
        'id',
    ),
    'tool': ('/api/v1/tools/create', {'id': 'bench_#', 'name': 'Bench #', 'content': TOOL, 'meta': {'description': 'One'}}, 'id'),
    'function': (
        '/api/v1/functions/create',
        {'id': 'bench_#', 'name': 'Bench #', 'content': FUNCTION, 'meta': {'description': 'One'}},
        'id',
    ),
    'knowledge': ('/api/v1/knowledge/create', {'name': 'Bench #', 'description': 'One'}, 'id'),
    'note': ('/api/v1/notes/create', {'title': 'Bench #', 'data': {'content': {'md': 'Some text.'}}}, 'id'),
    'channel': ('/api/v1/channels/create', {'name': 'bench-#', 'description': 'One'}, 'id'),
    'folder': ('/api/v1/folders/', {'name': 'Bench #'}, 'id'),
    'group': ('/api/v1/groups/create', {'name': 'Bench #', 'description': 'One'}, 'id'),
    'user': (
        '/api/v1/auths/add',
        {'name': 'Bench #', 'email': 'bench#@example.com', 'password': 'bench-Password-1', 'role': 'user'},
        'id',
    ),
    'feedback': (
        '/api/v1/evaluations/feedback',
        {'type': 'rating', 'data': {'rating': 1, 'model_id': 'stub-small'}, 'meta': {'chat_id': 'none'}},
        'id',
    ),
}

# name, path, how many rows its answer has (0: an object)
READS = [
    ('prompts', '/api/v1/prompts/list', ROWS),
    ('a prompt', '/api/v1/prompts/command/{s.ids[prompt]}', 0),
    ('workspace models', '/api/v1/models/', ROWS),
    ('a workspace model', '/api/v1/models/model?id={s.ids[model]}', 0),
    ('tools', '/api/v1/tools/list', ROWS),
    ('a tool', '/api/v1/tools/id/{s.ids[tool]}', 0),
    ('functions', '/api/v1/functions/', ROWS),
    ('a function', '/api/v1/functions/id/{s.ids[function]}', 0),
    ('knowledge bases', '/api/v1/knowledge/list', ROWS),
    ('a knowledge base', '/api/v1/knowledge/{s.ids[knowledge]}', 0),
    ('files', '/api/v1/files/?content=false', ROWS),
    ('a file', '/api/v1/files/{s.ids[file]}', 0),
    ('notes', '/api/v1/notes/list', ROWS),
    ('a note', '/api/v1/notes/{s.ids[note]}', 0),
    ('channels', '/api/v1/channels/', ROWS),
    ('a channel', '/api/v1/channels/{s.ids[channel]}', 0),
    ('messages of a channel', '/api/v1/channels/{s.ids[channel]}/messages', ROWS),
    ('folders', '/api/v1/folders/', ROWS),
    ('a folder', '/api/v1/folders/{s.ids[folder]}', 0),
    ('groups', '/api/v1/groups/', ROWS),
    ('a group', '/api/v1/groups/id/{s.ids[group]}', 0),
    ('users', '/api/v1/users/?page=1', 0),
    ('a user', '/api/v1/users/{s.ids[user]}', 0),
    ('feedback', '/api/v1/evaluations/feedbacks/all', ROWS),
    ('one feedback', '/api/v1/evaluations/feedback/{s.ids[feedback]}', 0),
]


def form_of(pattern, i):
    return json.loads(json.dumps(pattern).replace('#', str(i)))


def upload(server, i):
    """A small text file; what it says is not read."""
    mark = uuid.uuid4().hex
    body = (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="bench{i}.txt"\r\n'
        f'Content-Type: text/plain\r\n\r\nSome text, {i}.\r\n--{mark}--\r\n'
    )
    return server.must('POST', '/api/v1/files/?process=false', body, f'multipart/form-data; boundary={mark}')['id']


def seed(server):
    """server.ids: {area: what its last row is read by}."""
    server.ids = {}
    for area, (path, form, member) in SEEDS.items():
        for i in range(ROWS):
            made = server.must('POST', path, form_of(form, i))
            server.ids[area] = str(made[member]).lstrip('/')
    for i in range(ROWS):
        server.ids['file'] = upload(server, i)
        server.must('POST', f'/api/v1/channels/{server.ids["channel"]}/messages/post', {'content': f'Message {i}'})
