"""What is asked of every answer, for schemathesis (run.py names this file in SCHEMATHESIS_HOOKS)."""
import fnmatch, json, os

import schemathesis
from schemathesis.specs.openapi.checks import content_type_conformance

HERE = os.path.dirname(os.path.abspath(__file__))


def allowed():
    """(method, pattern of paths, status) of allowed.tsv."""
    with open(os.path.join(HERE, 'allowed.tsv'), encoding='utf-8') as f:
        rows = [line.rstrip('\n').split('\t') for line in f if line.strip() and not line.startswith('#')]
    return [(method, path, int(status)) for method, path, status, _ in rows]


ALLOWED = allowed()


def says_why(response):
    """An error of ours is {"detail": …}; of a provider, {"error": …}."""
    try:
        body = json.loads(response.content)
    except ValueError:
        return False
    return isinstance(body, dict) and bool(body.get('detail') or body.get('error'))


@schemathesis.check
def no_failure_of_ours(ctx, response, case):
    """No 5xx, but 501 (an engine that is not there), and what allowed.tsv has; each says why."""
    status, operation = response.status_code, case.operation
    if status < 500:
        return
    assert says_why(response), f'{status} without a reason: {response.content[:200]!r}'
    known = any(method in ('*', operation.method.upper()) and fnmatch.fnmatchcase(operation.path, path) and status == code
                for method, path, code in ALLOWED)
    assert status == 501 or known, f'{status}: {response.content[:300]!r}'


@schemathesis.check
def documented_type(ctx, response, case):
    """The content type is a documented one; a web server refuses what is no HTTP (a broken escape in an address) with a page of its own."""
    if response.status_code in (400, 404) and b'<title>%d ' % response.status_code in response.content:
        return None
    return content_type_conformance(ctx, response, case)
