#!/bin/sh
# back.sh: the way there and back, with the Python backend itself. It is not part of make check, which has no Python backend.
#
#   REFERENCE_HOME=~/open-webui-0.6.32 cgi-test/changeover/back.sh [sqlite] [postgres]
#
# REFERENCE_HOME is a virtual environment with open-webui==0.6.32 (see make-sample.py). BUILD names the build directory.
# Our server is started on a copy of the sample and everything is used; then the Python backend is started on the same
# database, has to answer all questions as ours did, to know the people who are signed in, and to show the chats in its
# own frontend (Chromium; pictures in BUILD/shots); then ours again, on what that left.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/../e2e/setup.sh"
exec python3 -B "$here/back.py" "$@"
