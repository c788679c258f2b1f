"""The measurements: each a function from servers to numbers. Servers take turns; never are two of them loaded at once."""

import json, os, sys, threading, time

import areas, tools
from api import EMAIL, PASSWORD, Socket, make_chat

ROUNDS = 2  # each cell is measured so often, half its time each, the servers in turn
PROMPT = [{'role': 'user', 'content': 'Tell me twenty words.'}]


def say(text):
    print(text, file=sys.stderr, flush=True)


def completion(model, stream):
    return {'model': model, 'stream': stream, 'messages': PROMPT}


class Operation:
    def __init__(self, name, method, path, right, body=None, token=True, ending=None, at_32=True):
        self.name, self.method, self.path, self.right, self.body = name, method, path, right, body
        self.token, self.ending, self.at_32 = token, ending, at_32

    def prepare(self, server, scratch):
        """Asks once and looks at the answer; keeps the request for the load generator."""
        path = self.path.format(s=server)
        status, data = server.call(self.method, path, self.body, raw=True)
        try:
            right = status == 200 and self.right(data if self.ending else json.loads(data))
        except (ValueError, KeyError, TypeError, IndexError):
            right = False
        if not right:
            raise SystemExit(f'{server.name}: {self.name}: {self.method} {path} answered {status} {data[:300]!r}')
        file = os.path.join(scratch, f'{server.port}-{self.name.replace(" ", "-").replace("/", "-")}.request')
        with open(file, 'wb') as f:
            f.write(server.request_bytes(self.method, path, self.body, self.token))
        return file, len(data) * 9 // 10


UPDATE = make_chat('Bench chat 1', 4, 900, 1)
OPERATIONS = [
    Operation('session', 'GET', '/api/v1/auths/', lambda d: d['email'] == EMAIL),
    Operation('config', 'GET', '/api/config', lambda d: 'enable_websocket' in d['features'] and 'permissions' in d),
    Operation('models', 'GET', '/api/models', lambda d: any(m['id'] == 'stub-small' for m in d['data'])),
    Operation('chats page', 'GET', '/api/v1/chats/?page=1', lambda d: len(d) == 60 and 'title' in d[0]),
    Operation('400 KB chat', 'GET', '/api/v1/chats/{s.big}', lambda d: len(json.dumps(d)) > 400 * 1024),
    Operation(
        'chat update',
        'POST',
        '/api/v1/chats/{s.small}',
        lambda d: d['chat']['history'] == UPDATE['history'],
        {'chat': UPDATE},
    ),
    Operation(
        'completion',
        'POST',
        '/api/chat/completions',
        lambda d: 'word19' in d['choices'][0]['message']['content'],
        completion('stub-small', False),
    ),
    Operation(
        'stream',
        'POST',
        '/api/chat/completions',
        lambda d: d.count(b'"content"') >= 20 and b'word19' in d,
        completion('stub-small', True),
        ending='[DONE]',
    ),
    Operation(
        'sign-in',
        'POST',
        '/api/v1/auths/signin',
        lambda d: d['email'] == EMAIL,
        {'email': EMAIL, 'password': PASSWORD},
        token=False,
        at_32=False,
    ),
]


def database_usage(server):
    if not server.database:
        return None
    from servers import backends

    parts = backends(server.database)
    return {**tools.usage(parts), 'processes': len(parts)} if parts else {'pss_kb': 0, 'processes': 0}


def cpu_ms(server):
    """CPU time so far of the server and of what PostgreSQL runs for it."""
    from servers import backends

    return tools.usage(server.parts + (backends(server.database) if server.database else []))['cpu_ms']


def one_round(server, operation, request, size, connections, seconds):
    before = cpu_ms(server) if server.parts else None
    got = tools.load(
        server, [request], connections, seconds, warm=min(0.5, seconds / 4), min_bytes=size, ending=operation.ending
    )
    if server.parts:
        got['cpu_ms'] = (cpu_ms(server) - before) / max(1, got['finished'] + got['warm_up'])
    return got


def best(cell, rounds):
    """Whatever else the machine does makes a round slower, never faster: the better round counts. Errors all count."""
    right = [r for r in rounds if r['requests']]
    if cell == 'one':
        chosen = min(right, key=lambda r: r['p50_ms'], default=rounds[0])
    else:
        chosen = max(right, key=lambda r: r['per_second'], default=rounds[0])
    cpu = [r['cpu_ms'] for r in rounds if 'cpu_ms' in r]
    return {
        **chosen,
        **({'cpu_ms': sum(cpu) / len(cpu)} if cpu else {}),
        'errors': sum(r['errors'] for r in rounds),
        'first_error': next((r['first_error'] for r in rounds if r['errors']), ''),
        'rounds': rounds,
    }


def rows_right(n):
    return lambda d: len(d) >= n if n else isinstance(d, dict)


READS = [Operation(name, 'GET', path, rows_right(n)) for name, path, n in areas.READS]


def operations(servers, options, scratch, wanted, seconds):
    """{operation: {server: {'one': cell, 'many': cell}}}, and what a bcrypt takes in ms, timed between the sign-ins."""
    results, hashes = {}, []
    for operation in wanted:
        if options.only and operation.name not in options.only:
            continue
        prepared = {s.name: operation.prepare(s, scratch) for s in servers}
        results[operation.name] = {s.name: {} for s in servers}
        for cell, connections in (('one', 1), ('many', 32)):
            if cell == 'many' and not operation.at_32:
                continue
            rounds = {s.name: [] for s in servers}
            for s in servers * ROUNDS:
                request, size = prepared[s.name]
                if operation.name == 'sign-in':
                    hashes.append(tools.hash_ms(options.bcrypt_cost))
                rounds[s.name].append(one_round(s, operation, request, size, connections, seconds / ROUNDS))
                time.sleep(0.2)
            for s in servers:
                got = results[operation.name][s.name][cell] = best(cell, rounds[s.name])
                say(
                    f'{operation.name}, {connections} at once, {s.name}: p50 {got["p50_ms"]} ms, {got["per_second"]:.0f}/s'
                    + (f', {got["errors"]} errors: {got["first_error"]}' if got['errors'] else '')
                )
    return results, min(hashes, default=None) if all(hashes) else None


def concurrent(servers, n, scratch, stub=None):
    """n answers of 20 tokens at 100 ms a token at once; first of all the provider itself, which nobody can beat."""
    results = {}
    if stub:
        direct, body = os.path.join(scratch, 'direct.request'), json.dumps(completion('stub-slow', True))
        with open(direct, 'w') as f:
            f.write(
                f'POST /v1/chat/completions HTTP/1.1\r\nHost: {stub}\r\nContent-Type: application/json\r\n'
                f'Content-Length: {len(body)}\r\n\r\n{body}'
            )
        results['the provider itself'] = tools.streams(stub, direct, n, 20)
    for s in servers:
        file = os.path.join(scratch, f'{s.port}-slow.request')
        with open(file, 'wb') as f:
            f.write(s.request_bytes('POST', '/api/chat/completions', completion('stub-slow', True)))
        results[s.name] = tools.streams(s.address, file, n, 20, parts=s.parts)
    for name, got in results.items():
        say(
            f'{n} streams, {name}: {got["completed"]} complete, first token p50 {got["first_p50_ms"]} ms, '
            f'p99 {got["first_p99_ms"]} ms, '
            f'{got["seconds"]} s' + (f', {got["errors"]} errors: {got["first_error"]}' if got['errors'] else '')
        )
    return results


# Answers of each length: about as many tokens of each, so that the clock's tick of 10 ms weighs the same.
LENGTHS = {False: ((20, 400), (200, 40), (2000, 8)), True: ((20, 120), (200, 12), (2000, 4))}
AT_ONCE = 8


def answers_by_api(server, length, count, scratch):
    file = os.path.join(scratch, f'{server.port}-tokens.request')
    with open(file, 'wb') as f:
        f.write(server.request_bytes('POST', '/api/chat/completions', completion('stub-small', True)))
    got = tools.load(server, [file], min(AT_ONCE, count), count=count, min_bytes=length * 20, ending='[DONE]')
    return {
        'errors': got['errors'],
        'first_error': got['first_error'],
        'seconds': got['seconds'],
        'bytes': got['bytes'],
    }


def answers_in_chats(server, length, count, scratch):
    """As the frontend does it: the text goes to the user's socket as events, and is saved in the chat."""
    tab, left, lock, chats, problems = Socket(server), list(range(count)), threading.Lock(), [], []

    def work():
        try:
            while True:
                with lock:
                    if not left or problems:
                        return
                    left.pop()
                chat, message = server.ask(tab.session, 'stub-small')
                tab.wait(message)
                with lock:
                    chats.append((chat, message))
        except (SystemExit, OSError, ValueError) as e:
            problems.append(str(e))

    before, threads, last = (
        tab.bytes,
        [threading.Thread(target=work) for _ in range(min(AT_ONCE, count))],
        f'word{length - 1}',
    )
    begin = time.time()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    result = {'seconds': time.time() - begin, 'bytes': tab.bytes - before}
    tab.close()
    return result | {'chats': chats, 'problems': problems, 'last': last}


def check_chats(server, result):
    """After the CPU time was read: is every answer saved to its last word? Then the chats go."""
    wrong = 0
    for chat, message in result.pop('chats'):
        saved = server.must('GET', f'/api/v1/chats/{chat}')['chat']['history']['messages'].get(message, {})
        wrong += not saved.get('content', '').rstrip().endswith(result['last'])
        server.call('DELETE', f'/api/v1/chats/{chat}')
    problems = result.pop('problems') + ([f'{wrong} answers were not saved whole'] if wrong else [])
    return result | {'errors': len(problems), 'first_error': '; '.join(problems)[:300]}


def cpu_per_token(servers, stub, quick, scratch):
    """{way: {server: {length: {'cpu_ms' per answer, 'bytes' per answer, 'errors', …}}}}"""
    results = {way: {s.name: {} for s in servers} for way in ('api', 'chat')}
    for length, count in LENGTHS[quick]:
        stub.start(length, '2ms')
        for s in servers:
            s.call(
                'POST', '/api/chat/completions', completion('stub-small', False)
            )  # the provider came back: drop what is kept
            for way, ask in (('api', answers_by_api), ('chat', answers_in_chats)):
                time.sleep(1)
                before = tools.usage(s.parts)['cpu_ms']
                got = ask(s, length, count, scratch)
                time.sleep(0.5)
                cpu = tools.usage(s.parts)['cpu_ms'] - before
                got = check_chats(s, got) if way == 'chat' else got
                results[way][s.name][length] = {**got, 'cpu_ms': cpu / count, 'bytes': got['bytes'] / count}
                say(
                    f'{count} answers of {length} tokens, {way}, {s.name}: {cpu / count:.2f} ms CPU each, '
                    f'{1000 * cpu / count / length:.0f} us a token'
                    + (f', {got["errors"]} errors: {got["first_error"]}' if got['errors'] else '')
                )
    stub.start()
    return results


def everything(servers, options, scratch, stub=None, stub_address=None):
    """All of it, in the order that keeps the memory columns meaningful."""
    memory = {s.name: {} for s in servers}

    def note(when):
        for s in servers:
            if s.parts:
                memory[s.name][when] = {**tools.usage(s.parts), 'database': database_usage(s)}

    load_average = os.getloadavg()[0]
    note('fresh')
    for s in servers:
        say(f'seeding {s.name}')
        s.seed()
    time.sleep(1)
    note('before')
    results = {
        'bcrypt_cost': options.bcrypt_cost,
        'seconds': options.seconds,
        'servers': [s.name for s in servers],
        'memory': memory,
        'load_average': load_average,
    }
    results['operations'], results['hash_ms'] = operations(servers, options, scratch, OPERATIONS, options.seconds)
    time.sleep(2)
    note('after')
    if options.streams:
        results['streams'] = concurrent(servers, options.streams, scratch, stub_address)
    if stub and not options.no_tokens:
        results['tokens'] = cpu_per_token([s for s in servers if s.parts], stub, options.quick, scratch)
    note('end')
    if not options.no_areas:
        for s in servers:
            areas.seed(s)
        results['reads'], _ = operations(servers, options, scratch, READS, options.seconds / 2)
    return results


def errors(results):
    """What went wrong, as lines; empty if every answer was right."""
    out = []
    for operation, by_server in [*results['operations'].items(), *results.get('reads', {}).items()]:
        for server, cells in by_server.items():
            out += [
                f'{server}: {operation}: {c["errors"]} errors ({c["first_error"]})'
                for c in cells.values()
                if c['errors']
            ]
            out += [f'{server}: {operation}: no answer in the time' for c in cells.values() if not c['requests']]
    for server, got in results.get('streams', {}).items():
        if got['completed'] != got['streams']:
            out.append(
                f'{server}: {got["streams"] - got["completed"]} of {got["streams"]} streams incomplete ({got["first_error"]})'
            )
    for way, by_server in results.get('tokens', {}).items():
        for server, by_length in by_server.items():
            out += [
                f'{server}: answers of {n} tokens ({way}): {c["first_error"]}'
                for n, c in by_length.items()
                if c['errors']
            ]
    return out
