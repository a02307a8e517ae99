#!/bin/sh
# system-packages.sh NAME...: install missing Debian packages where that is allowed; else say so in
# one sentence and go on.  On macOS nothing is needed: the sounddevice wheel brings PortAudio.
set -u
[ "$(uname -s)" = Linux ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "restyle: no apt-get here; please see to these packages yourself, if missing: $*" >&2
    exit 0
fi
missing=""
for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' ||
        missing="$missing $name"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "restyle: please install$missing (sudo apt-get install$missing); going on without" >&2
    exit 0
fi
echo "restyle: installing$missing"
# env after sudo, which drops the variables of its caller
apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120"
# shellcheck disable=SC2086
{
    $apt update
    $apt install --no-install-recommends -y $missing
} </dev/null >/dev/null 2>&1 ||
    echo "restyle: could not install$missing; going on without" >&2
exit 0
