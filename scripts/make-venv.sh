#!/bin/sh
# make-venv.sh FOLDER: create a virtual environment with the first Python that is new enough.
# Debian and Ubuntu keep the venv module in a package of its own: it is installed where allowed.
set -eu

find_python() {
    for python in python3.11 python3.12 python3.13 python3; do
        if "$python" -c "$1" >/dev/null 2>&1; then
            echo "$python"
            return 0
        fi
    done
    return 1
}

new='import sys; sys.exit(sys.version_info < (3, 11))'
ready='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'
if ! python=$(find_python "$ready"); then
    if python=$(find_python "$new"); then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    else
        package=python3-venv
    fi
    /bin/sh "${0%/*}/system-packages.sh" "$package"
    if ! python=$(find_python "$ready"); then
        echo "restyle needs Python 3.11 or newer with its venv module; please install it" \
            "(Debian, Ubuntu: python3-venv; macOS: python.org or brew install python)" >&2
        exit 2
    fi
fi
# a half-made environment would look finished to make
trap 'rm -rf "$1"; exit 2' INT TERM HUP
"$python" -m venv "$1" || { rm -rf "$1"; exit 2; }
