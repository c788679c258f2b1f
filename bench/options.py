"""What run and compare have in common: options, and what becomes of the results."""

import json

import measure, report


def add_options(parser):
    parser.add_argument('--quick', action='store_true', help='2 s a cell instead of 8')
    parser.add_argument('--seconds', type=float, help='a cell')
    parser.add_argument('--streams', type=int, default=1000, help='how many at once (default 1000; 0: none)')
    parser.add_argument(
        '--only', action='append', metavar='OPERATION', help='this operation; may be given several times'
    )
    parser.add_argument('--no-tokens', action='store_true', help='leave out the CPU time a token')
    parser.add_argument('--no-areas', action='store_true', help='leave out a list and a read by id of each area')
    parser.add_argument('--bcrypt-cost', type=int, default=12, help='what the servers hash with (default 12)')
    parser.add_argument('--out', metavar='FILE.md', help='write the tables there too')
    parser.add_argument('--json', metavar='FILE.json', help='write all numbers there')


def settle(options):
    options.seconds = options.seconds or (2 if options.quick else 8)
    unknown = set(options.only or ()) - {o.name for o in measure.OPERATIONS + measure.READS}
    if unknown:
        raise SystemExit(
            f'no such operation: {", ".join(unknown)}; there are: {", ".join(o.name for o in measure.OPERATIONS + measure.READS)}'
        )


def publish(results, options, title):
    """Prints and writes the tables; returns the exit status."""
    text, wrong = report.markdown(results, title), measure.errors(results)
    if wrong:
        text += '\nWrong answers:\n\n' + '\n'.join('- ' + line for line in wrong) + '\n'
    print(text)
    for path, what in ((options.out, text), (options.json, json.dumps(results, indent=1))):
        if path:
            with open(path, 'w') as f:
                f.write(what)
    return 1 if wrong else 0
