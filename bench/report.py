"""The results as Markdown."""

import os, platform, subprocess

import tools


def table(head, rows):
    lines = ['| ' + ' | '.join(head) + ' |', '|' + '|'.join(['---'] + ['---:'] * (len(head) - 1)) + '|']
    return '\n'.join(lines + ['| ' + ' | '.join(row) + ' |' for row in rows])


def number(x):
    if x is None:
        return '–'
    return f'{x:,.0f}' if x >= 100 else f'{x:.1f}' if x >= 10 else f'{x:.2f}' if x >= 1 else f'{x:.3f}'


def ratio(x):
    return '–' if x is None else f'{x:.0f}×' if x >= 10 else f'{x:.1f}×' if x >= 1 else f'{x:.2f}×'


def share(a, b):
    return a / b if a is not None and b else None


def value(cell, key):
    """A cell's number, or None if nothing right came back."""
    return cell[key] if cell and cell['requests'] else None


def mark(cell):
    return f' ({cell["errors"]} errors)' if cell and cell['errors'] else ''


def with_ratios(names, suffix):
    """Column heads: every server, and after each but the first how it compares with the first."""
    return [h for i, n in enumerate(names) for h in ([f'{n}{suffix}'] + (['ratio'] if i else []))]


def operations(results, which='operations'):
    names, rows = results['servers'], []
    for operation, by_server in results[which].items():
        row = [operation]
        for cell, key, better in (
            ('one', 'p50_ms', lambda first, own: share(first, own)),
            ('many', 'per_second', lambda first, own: share(own, first)),
        ):
            first = value(by_server[names[0]].get(cell), key)
            for i, name in enumerate(names):
                c = by_server[name].get(cell)
                own = value(c, key)
                row.append(
                    signing_in(results, own) if operation == 'sign-in' and cell == 'one' else number(own) + mark(c)
                )
                row += [ratio(better(first, own))] if i else []
        rows.append(row)
    return table(['operation', *with_ratios(names, ', p50 ms'), *with_ratios(names, ', requests/s')], rows)


def cpu(results):
    """Hardly depends on what else the machine does, unlike time."""
    names, rows = results['servers'], []
    for operation, by_server in results['operations'].items():
        cells = {n: by_server[n].get('many') or by_server[n]['one'] for n in names}
        if all('cpu_ms' in c and c['requests'] for c in cells.values()):
            first = cells[names[0]]['cpu_ms']
            row = [
                h
                for i, n in enumerate(names)
                for h in [number(cells[n]['cpu_ms'])] + [ratio(share(first, cells[n]['cpu_ms']))] * (i > 0)
            ]
            rows.append([operation, *row])
    return table(['operation', *with_ratios(names, ', CPU ms a request')], rows) if rows else None


def signing_in(results, p50):
    """Most of it is the hash, which is slow on purpose."""
    if p50 is None or results['hash_ms'] is None:
        return number(p50)
    rest = p50 - results['hash_ms']
    return f'{number(p50)} = hash {"+" if rest >= 0 else "−"} {number(abs(rest))}'


def mb(u):
    return number(u['pss_kb'] / 1024) if u else '–'


def memory(results):
    names = [n for n in results['servers'] if results['memory'].get(n)]
    if not names:
        return None
    streams = results.get('streams', {})
    first = results['memory'][names[0]]
    rows = []
    for name in names:
        m, s = results['memory'][name], streams.get(name)
        growth = (s['peak']['pss_kb'] - s['before']['pss_kb']) / s['streams'] if s else None
        rows.append(
            [
                name,
                mb(m['fresh']),
                mb(m['before']),
                mb(m['after']),
                ratio(share(first['after']['pss_kb'], m['after']['pss_kb'])),
                mb(s and s['peak']),
                mb(s and s['after']),
                number(growth),
                mb(m['end']),
                str(m['end']['processes']),
            ]
        )
        if any(u['unreadable'] for u in m.values() if 'unreadable' in u):
            rows[-1][0] += ' (some processes unreadable)'
    out = table(
        [
            'PSS in MB',
            'fresh',
            'before',
            'after',
            'ratio',
            'peak of streams',
            'after streams',
            'KB a stream',
            'at the end',
            'processes',
        ],
        rows,
    )
    databases = [
        [n, *(f'{mb(m[w]["database"])} / {m[w]["database"]["processes"]}' for w in ('before', 'after', 'end'))]
        for n, m in results['memory'].items()
        if m and m['after']['database']
    ]
    if databases:
        out += '\n\n' + table(['PostgreSQL for it: MB / connections', 'before', 'after', 'at the end'], databases)
    return out


def streams(results):
    rows = []
    for name, s in results['streams'].items():
        rows.append(
            [
                name,
                f'{s["completed"]:,} of {s["streams"]:,}',
                str(s['at_once']),
                number(s['first_p50_ms']),
                number(s['first_p99_ms']),
                number(s['first_max_ms']),
                number(s['seconds']),
            ]
        )
    return table(['streams', 'complete', 'most at once', 'first token p50 ms', 'p99 ms', 'max ms', 'total s'], rows)


def tokens(by_server):
    rows = []
    for name, by_length in by_server.items():
        lengths = sorted(by_length)
        per_token = [number(1000 * by_length[n]['cpu_ms'] / n) for n in lengths]
        more = [
            number(max(0, 1000 * (by_length[b]['cpu_ms'] - by_length[a]['cpu_ms']) / (b - a)))
            for a, b in zip(lengths, lengths[1:])
        ]
        kb = [number(by_length[n]['bytes'] / n / 1024) for n in lengths]
        rows.append([name, *per_token, *more, kb[0], kb[-1]])
    lengths = sorted(next(iter(by_server.values())))
    return table(
        [
            'CPU in µs a token',
            *(f'answers of {n:,}' for n in lengths),
            *(f'each token from {a:,} to {b:,}' for a, b in zip(lengths, lengths[1:])),
            *(f'KB sent a token, {n:,}' for n in (lengths[0], lengths[-1])),
        ],
        rows,
    )


def machine():
    model = next(
        (line.split(':', 1)[1].strip() for line in open('/proc/cpuinfo') if line.startswith('model name')),
        platform.machine(),
    )
    pages = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30
    commit = subprocess.run(
        ['git', '-C', tools.ROOT, 'describe', '--always', '--dirty'],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return (
        f'{os.cpu_count()} × {model}, {pages:.0f} GB, {platform.system()} {platform.release()}; '
        f'commit {commit.stdout.strip() or "unknown"}'
    )


def markdown(results, title):
    parts = [
        f'# {title}',
        machine() + f'; {number(results["seconds"])} s a cell. Load generator, provider and database share the cores '
        f'with the servers; the load average was {results["load_average"]:.1f} before.',
        operations(results),
    ]
    if results['hash_ms']:
        parts.append(
            f'One bcrypt hash of cost {results["bcrypt_cost"]} takes {number(results["hash_ms"])} ms here '
            f'with the system\'s crypt(3).'
        )
    parts += [cpu(results), memory(results)]
    if results.get('streams'):
        parts += [
            'Concurrent streams of 20 tokens, 100 ms each (2 s by themselves), opened within 2 s:',
            streams(results),
        ]
    if results.get('reads'):
        parts += ['A list of thirty rows and a read by id of each area:', operations(results, 'reads')]
    for way, what in (
        ('api', 'Streamed to the client of the API'),
        ('chat', 'Through a chat: to the user\'s tab as events, and saved'),
    ):
        if results.get('tokens', {}).get(way):
            parts += [what + ':', tokens(results['tokens'][way])]
    return '\n\n'.join(p for p in parts if p) + '\n'
