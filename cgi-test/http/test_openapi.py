#!/usr/bin/env python3
"""/openapi.json against that of the Python backend (cgi-test/contract/operations.tsv): every operation, parameter and member of a body is there, and required where it is
there."""
from harness import *

TABLE = os.path.join(ROOT, 'cgi-test', 'contract', 'operations.tsv')
# Where ours differs on purpose: (method, path, what): reason.
MEANT = {(method, path, 'parameter query:bypass_filter'): 'nobody goes round the access check by asking' for method, path in (
    ('POST', '/ollama/api/chat'), ('POST', '/ollama/api/chat/{url_idx}'), ('POST', '/openai/chat/completions'))}


def wanted():
    with open(TABLE, encoding='utf-8') as f:
        for line in f:
            if not line.startswith('#'):
                method, path, parameters, body = (line.rstrip('\n').split('\t') + ['', ''])[:4]
                yield method, path, parameters.split(), body


def members(schema):
    need = set(schema.get('required', []))
    return {n + ('!' if n in need else '') for n in schema.get('properties', {})}


def shape(schema):
    """(word, members) of a body's schema: object, dict, list, list of object …, any."""
    if 'anyOf' in schema:
        options = [o for o in schema['anyOf'] if o.get('type') != 'null']
        return shape(options[0]) if len(options) == 1 else ('any', set())
    if schema.get('type') == 'array':
        word, inner = shape(schema.get('items', {}))
        return 'list of ' + word, inner
    if schema.get('type') == 'object':
        return ('object', members(schema)) if schema.get('properties') else ('dict', set())
    return schema.get('type', 'any'), set()


def of_text(text):
    kind, _, rest = text.partition(' ')
    words = rest.split()
    start = 0
    while words[start:start + 2] == ['list', 'of']:
        start += 2
    return kind, ' '.join(words[:start + 1]), set(words[start + 1:])


def faults(document, method, path, parameters, body):
    """What of an operation is not as it should be."""
    ours = document['paths'].get(path, {}).get(method.lower())
    if not ours:
        return ['is not there']
    out = []
    have = {f"{p['in']}:{p['name']}{'!' if p.get('required') else ''}" for p in ours.get('parameters', [])}
    for p in parameters:
        # A header of FastAPI's own making is the access check's business.
        if not p.startswith(('header:', 'cookie:')) and p not in have:
            out.append(f'parameter {p}' + (' has another "required"' if p.rstrip('!') in {h.rstrip('!') for h in have} else ''))
    if body:
        kind, word, need = of_text(body)
        content = ours.get('requestBody', {}).get('content', {})
        if kind not in content:
            return out + [f'body {kind} (it has {", ".join(content) or "none"})']
        got_word, got = shape(content[kind].get('schema', {}))
        out += [f'member {m} of the body' for m in sorted(need - got)]
        if word != got_word and not (word in ('any', 'dict', 'object') and got_word in ('any', 'dict', 'object')):
            out.append(f'body is {got_word}, not {word}')
    return [x for x in out if (method, path, x) not in MEANT]


def all_faults(document):
    for method, path, parameters, body in wanted():
        for fault in faults(document, method, path, parameters, body):
            yield f'{method} {path}: {fault}'


@test('openapi: every operation, with its parameters and its body')
def _(s):
    document = s.anyone().get('/openapi.json').json()
    found = list(all_faults(document))
    check(not found, f'{len(found)} faults:\n    ' + '\n    '.join(found))


@test('openapi: the document is well formed')
def _(s):
    document = s.anyone().get('/openapi.json').json()
    ids = [o.get('operationId') for methods in document['paths'].values() for o in methods.values()]
    equal(len(ids), len(set(ids)), 'operation ids are unique')
    for path, methods in document['paths'].items():
        for method, o in methods.items():
            named = set(re.findall(r'{(\w+)}', path))
            equal({p['name'] for p in o.get('parameters', []) if p['in'] == 'path'}, named, f'{method} {path}')
            check(o.get('summary') and o.get('responses'), f'{method} {path}')


if __name__ == '__main__':
    main()
