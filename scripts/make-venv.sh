#!/bin/sh
# make-venv.sh FOLDER: create a virtual environment with the first Python that is new enough.
set -eu
for python in python3.11 python3.12 python3.13 python3; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        "$python" -m venv "$1"
        exit 0
    fi
done
echo "restyle needs Python 3.11 or newer with the venv module; on Debian or Ubuntu: apt install python3-venv" >&2
exit 2
