#!/bin/sh
# system-packages.sh NAME...: install missing Debian packages when that is allowed; else say so.
# On systems without apt-get (macOS: the sounddevice wheel brings PortAudio) nothing is needed.
set -u
command -v apt-get >/dev/null 2>&1 || exit 0
missing=""
for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $name"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    echo "restyle: please install$missing (sudo apt-get install$missing); going on without" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
$as_root apt-get -qq update >/dev/null 2>&1
# shellcheck disable=SC2086
$as_root apt-get -qq install --no-install-recommends -y $missing >/dev/null 2>&1 ||
    echo "restyle: could not install$missing; going on without" >&2
exit 0
