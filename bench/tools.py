"""The measuring programs: builds them, runs them, reads what they print."""

import ctypes, json, os, statistics, subprocess, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.environ.get('BENCH_BUILD') or os.path.join(ROOT, 'build', 'bench')

PROGRAMS = {  # name: (sources, flags)
    'load': (['load.c', 'http.c'], []),
    'streams': (['streams.c', 'http.c', 'usage.c'], ['-pthread']),
    'usage': (['usage.c'], ['-DUSAGE_MAIN']),
}
CFLAGS = [
    '-D_GNU_SOURCE',
    '-O2',
    '-g',
    '-std=gnu11',
    '-Wall',
    '-Wextra',
    '-Wshadow',
    '-Wstrict-prototypes',
    '-Wvla',
    '-Wno-missing-field-initializers',
]


def stale(target, sources):
    return not os.path.exists(target) or any(os.path.getmtime(s) > os.path.getmtime(target) for s in sources)


def build():
    os.makedirs(BUILD, exist_ok=True)
    headers = [os.path.join(HERE, h) for h in ('http.h', 'usage.h')]
    for name, (sources, flags) in PROGRAMS.items():
        paths, target = [os.path.join(HERE, s) for s in sources], os.path.join(BUILD, name)
        if stale(target, paths + headers):
            subprocess.run([os.environ.get('CC', 'cc'), *CFLAGS, '-I', ROOT, *flags, '-o', target, *paths], check=True)


def build_stub():
    source, target = os.path.join(ROOT, 'cgi-test', 'stub'), os.path.join(BUILD, 'stub')
    if stale(target, [os.path.join(source, 'main.go'), os.path.join(source, 'go.mod')]):
        os.makedirs(BUILD, exist_ok=True)
        subprocess.run(['go', 'build', '-o', target, '.'], cwd=source, check=True)
    return target


def run(program, *args):
    done = subprocess.run([os.path.join(BUILD, program), *map(str, args)], stdout=subprocess.PIPE, text=True)
    if not done.stdout:
        raise SystemExit(f'{program} ended with {done.returncode}')
    return json.loads(done.stdout)


def load(server, requests, connections=1, seconds=None, count=None, warm=0, min_bytes=1, ending=None):
    """requests: paths of request files, each with "*WEIGHT" if not 1."""
    args = ['-c', connections, '-b', min_bytes]
    args += ['-n', count] if count else ['-d', seconds, '-w', warm]
    args += ['-e', ending] if ending else []
    return run('load', *args, server.address, *requests)


def streams(address, request, n, tokens, ramp_ms=2000, parts=()):
    args = ['-n', n, '-t', tokens, '-r', ramp_ms]
    for part in parts:
        args += ['-p', part]
    return run('streams', *args, address, request)


def usage(parts):
    """Memory and CPU time of a server's processes; None if it was named without any."""
    return run('usage', *parts) if parts else None


def hash_ms(cost, times=3):
    """What one bcrypt of this cost takes here with the system's crypt(3), in ms; None if it knows no bcrypt."""
    try:
        crypt = ctypes.CDLL('libcrypt.so.1').crypt
    except OSError:
        return None
    crypt.argtypes, crypt.restype = [ctypes.c_char_p, ctypes.c_char_p], ctypes.c_char_p
    salt, took = b'$2b$%02d$abcdefghijklmnopqrstuu' % cost, []
    for _ in range(times):
        begin = time.perf_counter()
        out = crypt(b'a password to be hashed', salt)
        took.append((time.perf_counter() - begin) * 1000)
        if not out or not out.startswith(b'$2b$'):
            return None
    return statistics.median(took)
