#!/bin/sh
# setup.sh: brings node_modules to what package-lock.json names, and does nothing if it is there already.
set -eu
cd "$(dirname "$0")"
command -v node >/dev/null || { echo "setup.sh: node is missing (Debian: nodejs)" >&2; exit 1; }
have=node_modules/.installed-lock.json
[ -f "$have" ] && cmp -s package-lock.json "$have" && exit 0
command -v npm >/dev/null || { echo "setup.sh: npm is missing (Debian: npm)" >&2; exit 1; }
npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
cp package-lock.json "$have"
