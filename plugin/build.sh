#!/bin/sh
# build.sh [FOLDER]: build restyle.vst3, restyle.clap and restyle.lv2 into FOLDER (build/plugin),
# with DPF (Debian's dpf-source, or the folder DPF names).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-$here/../build/plugin}
dpf=${DPF:-/usr/share/dpf}
if [ ! -f "$dpf/distrho/DistrhoPluginMain.cpp" ]; then
    echo "restyle: DPF is not in $dpf; install it with: apt-get install dpf-source g++" >&2
    exit 2
fi
mkdir -p "$target"
cd "$target"

# patch FILE COUNT SED-WORDS...: so many lines of one of DPF 1.6's wrappers are other ones
mkdir -p patched/src
patch() {
    wrapper=$dpf/distrho/src/$1 count=$2
    shift 2
    sed "$@" "$wrapper" >"patched/src/${wrapper##*/}"
    if [ "$(diff "$wrapper" "patched/src/${wrapper##*/}" | grep -c '^>')" != "$count" ]; then
        echo "restyle: $wrapper is of another version than 1.6: what is to be changed is not there" >&2
        exit 2
    fi
}
# VST3: it leaves out whether the host renders, and tells the host of another latency with the number of the first
patch DistrhoPluginVST3.cpp 2 \
    -e 's|// TODO process_mode can be.*|restyle_host_renders(fPlugin.getInstancePointer(), setup->process_mode == V3_OFFLINE);|' \
    -e 's|^\( *\)fLastKnownLatency = latency;|&\n\1fCachedParameterValues[kVst3InternalParameterLatency] = latency;|'
# CLAP: it calls hosts that know nothing of latencies; where a host takes a state in parts it writes the first one
# again and again, and where it gives one in parts, takes what lies behind a part for the end of a word
patch DistrhoPluginCLAP.cpp 4 \
    -e 's|stream->write(stream, buffer, |stream->write(stream, buffer + wrtntotal, |' \
    -e 's|fHostExtensions.latency->changed(fHost);|if (fHostExtensions.latency) &|' \
    -e "s|DISTRHO_SAFE_ASSERT_INT_RETURN(read >= 0, read, false);|& buffer[read] = '\\\\xff';|"
cp "$dpf/distrho/DistrhoPluginMain.cpp" patched/

# build FORMAT OUTPUT: one shared library
build() {
    mkdir -p "$(dirname "$2")"
    ${CXX:-g++} -std=c++17 -O2 -w -fPIC -shared -fvisibility=hidden -pthread -DNDEBUG \
        "-DDISTRHO_PLUGIN_TARGET_$1" "-I$here" -Ipatched "-I$dpf/distrho" "-I$dpf/distrho/src" \
        "$here/restyle.cpp" patched/DistrhoPluginMain.cpp -o "$2"
}
build VST3 "restyle.vst3/Contents/$(uname -m)-linux/restyle.so" &
vst3=$!
build CLAP restyle.clap &
clap=$!
build LV2 restyle.lv2/restyle.so
wait $vst3
wait $clap

cc -w -o ttl "$dpf/utils/lv2-ttl-generator/lv2_ttl_generator.c" -ldl
(cd restyle.lv2 && ../ttl ./restyle.so >/dev/null)
# hosts say by this port that they render
sed -i 's|lv2:symbol "offline" ;|&\n        lv2:designation lv2:freeWheeling ;|' restyle.lv2/restyle.ttl
rm -rf ttl patched
echo "built restyle.vst3, restyle.clap and restyle.lv2 in $(pwd)"
