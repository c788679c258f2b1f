#!/bin/sh
# setup.sh: installs the Debian packages of etc/packages.txt that are missing, and does nothing if none is.
#
#   etc/setup.sh [SECTION...]     runtime and build by default; "test" is what `make check` needs besides
#   SETUP=no etc/setup.sh …       installs nothing: lists what is missing, exit status 1 (0 if nothing is)
set -eu

list=$(dirname "$0")/packages.txt
[ $# -gt 0 ] || set -- runtime build
if ! command -v dpkg-query >/dev/null; then
    echo "setup.sh: this is no Debian system; see $list for what is needed" >&2
    exit 1
fi

# "name" or "command: name ..." of the sections asked for.
wanted() {
    awk -v sections=" $* " '/^[[:space:]]*(#|$)/ { next }
        /^\[/ { gsub(/[][[:space:]]/, ""); on = index(sections, " " $0 " "); found[$0] = 1; next }
        on
        END { n = split(sections, s, " "); for (i = 1; i <= n; i++) if (!(s[i] in found)) { print "no section " s[i] > "/dev/stderr"; exit 1 } }' "$list"
}

installed() {
    dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^.i'
}

entries=$(wanted "$@")
missing=
while IFS= read -r entry; do
    case $entry in
    *:*)
        command -v "${entry%%:*}" >/dev/null && continue
        missing="$missing${entry#*:}" ;;
    *)
        installed "$entry" || missing="$missing $entry" ;;
    esac
done <<LIST
$entries
LIST

[ -n "$missing" ] || exit 0
if [ "${SETUP:-yes}" = no ]; then
    echo "These Debian packages are missing:$missing"
    exit 1
fi

if [ "$(id -u)" -eq 0 ]; then
    root=
elif command -v sudo >/dev/null; then
    root=sudo
else
    echo "setup.sh: as root, please: apt-get install$missing" >&2
    exit 1
fi
echo "Installing Debian packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086  # words are meant
if ! { $root apt-get update -qq && $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    exit 1
fi
