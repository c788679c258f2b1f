#!/usr/bin/env python3
"""Feeds each operation of /openapi.json valid and invalid input with schemathesis, and judges the answers: no 5xx (hooks.py), a documented status and
content type, a body that has the documented shape, nothing without signing in, and no process of ours that dies. One test an operation.

run.py URL TOKEN [--seed N] [--examples N] [further arguments of schemathesis]

URL runs with ENV=dev, so that it has /openapi.json. TOKEN is an administrator's. schemathesis comes from PyPI, into $XDG_CACHE_HOME/webui-fcgi."""
import argparse, json, os, subprocess, sys, tempfile, urllib.request, xml.etree.ElementTree as xml

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKS = 'no_failure_of_ours,status_code_conformance,documented_type,response_schema_conformance,ignored_auth'
# They end the session that the others need; cgi-test/http tries them.
LEFT_OUT = r'^/api/v1/auths/(signout|update/password)$'


def command():
    """How to call schemathesis, which is installed if it is not there in the version of requirements.txt; and its environment."""
    with open(os.path.join(HERE, 'requirements.txt')) as f:
        version = f.read().strip().replace('==', '-')
    cache = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    folder = os.path.join(cache, 'webui-fcgi', f'{version}-python{sys.version_info.major}.{sys.version_info.minor}')
    if not os.path.exists(os.path.join(folder, 'complete')):
        subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--upgrade', '--target', folder, '-r',
                        os.path.join(HERE, 'requirements.txt')], check=True)
        open(os.path.join(folder, 'complete'), 'w').close()
    return [sys.executable, '-c', 'from schemathesis.cli import schemathesis; schemathesis()'], {
        **os.environ, 'PYTHONPATH': folder, 'PYTHONDONTWRITEBYTECODE': '1', 'SCHEMATHESIS_HOOKS': os.path.join(HERE, 'hooks.py')}


def operations(url):
    with urllib.request.urlopen(url + '/openapi.json') as answer:
        paths = json.load(answer)['paths']
    return {f'{method.upper()} {path}' for path, methods in paths.items() for method in methods}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('url')
    parser.add_argument('token')
    parser.add_argument('--seed', default='1')
    parser.add_argument('--examples', default='10', help='of each operation, beside those that cover its schema')
    args, more = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, 'junit.xml')
        argv, env = command()
        subprocess.run([*argv, 'run', args.url + '/openapi.json', '-H', 'Authorization: Bearer ' + args.token, '--checks', CHECKS, '--exclude-path-regex',
                        LEFT_OUT, '--phases', 'examples,coverage,fuzzing', '-n', args.examples, '--seed', args.seed, '-w', '2', '--continue-on-failure',
                        '--suppress-health-check', 'all', '--request-timeout', '30', '--warnings', 'off', '--no-color', '--report', 'junit', '--report-junit-path', report, *more],
                       cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            cases = list(xml.parse(report).getroot().iter('testcase'))
        except (OSError, xml.ParseError) as e:
            print(f'FAILED schemathesis has written no report: {e}')
            print('0 passed, 1 failed')
            return 1
    good, bad = set(), set()
    for case in cases:
        name, faults = case.get('name'), [*case.iter('failure'), *case.iter('error')]
        for fault in faults:
            print(f'FAILED {name}: {(fault.text or fault.get("message") or "").strip()[:1500]}')
        (bad if faults else good).add(name)
    tried = {n for n in good | bad}
    missing = {o for o in operations(args.url) if o not in tried and 'signout' not in o and 'update/password' not in o}
    for name in sorted(missing) if not more else []:
        print(f'FAILED {name} was not tried')
        bad.add(name)
    print(f'{len(good - bad)} passed, {len(bad)} failed')
    return 1 if bad or not good else 0


sys.exit(main())
