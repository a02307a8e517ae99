#!/bin/sh
# portable.sh [CASE...] [-- PYTEST WORDS]: the tests as other machines would run them.
#
#   quiet  as they are                      avx2  without AVX-512 and AMX: Haswell to Alder Lake
#   busy   two busy loops beside            amd   the same by AMD's name (Zen 1 to 3)
#   nice   at nice 10                       sse   without AVX and FMA: x86-64-v2
#
# Without a case: quiet, busy, nice, avx2, amd.  The last three go through scripts/cpu_mask.c, which
# needs Linux, a C compiler and a processor that can trap CPUID; they are said to be left out where
# one is missing.  Exit code 1 if a case failed.  The Python is $PYTHON, by default .venv/bin/python.
set -u
cd "$(dirname "$0")/.." || exit 2
python=${PYTHON:-.venv/bin/python}
out=${TMPDIR:-/tmp}/restyle-portable
mkdir -p "$out" .cache

cases=""
while [ $# -gt 0 ]; do
    case $1 in
    --) shift && break ;;
    quiet | busy | nice | avx2 | amd | sse) cases="$cases $1" && shift ;;
    *) echo "portable.sh: no case '$1'; there are quiet, busy, nice, avx2, amd and sse" >&2 && exit 2 ;;
    esac
done

loops=""
quieten() {
    # shellcheck disable=SC2086
    [ -z "$loops" ] || kill $loops 2>/dev/null
    loops=""
}
trap quieten EXIT
trap 'exit 130' INT TERM

# masked LEVEL GLIBC_FEATURES: what follows sees a lesser processor, its C library too
masked() {
    mask=$PWD/.cache/cpu_mask.so
    cc -shared -fPIC -O1 -o "$mask" scripts/cpu_mask.c -ldl || return 3
    env CPU_MASK="$1" LD_PRELOAD="$mask" "$python" -c "" || return 3
    level=$1 && features=$2 && shift 2
    env CPU_MASK="$level" LD_PRELOAD="$mask" GLIBC_TUNABLES="glibc.cpu.hwcaps=$features" "$@"
}

failed=0
for name in ${cases:-quiet busy nice avx2 amd}; do
    begin=$(date +%s)
    set -- "$python" -m pytest -q -n 4 --dist loadfile --no-loadscope-reorder "$@"
    case $name in
    quiet) "$@" ;;
    busy)
        for _ in 1 2; do (while :; do :; done) & loops="$loops $!"; done
        "$@"
        ;;
    nice) nice -n 10 "$@" ;;
    sse) masked sse -AVX512F,-AVX512VL,-AVX2,-FMA,-AVX "$@" ;;
    *) masked "$name" -AVX512F,-AVX512VL "$@" ;;
    esac >"$out/$name.log" 2>&1
    code=$?
    shift 9
    quieten
    # plug-ins may have the very last words
    said=$(grep -E "(passed|failed|error).* in [0-9]" "$out/$name.log" | tail -n 1)
    [ -n "$said" ] || said=$(tail -n 1 "$out/$name.log")
    printf '%-6s %4d s  %s\n' "$name" $(($(date +%s) - begin)) "$said"
    [ $code = 0 ] || [ $code = 3 ] || failed=1
done
echo "logs: $out"
exit $failed
