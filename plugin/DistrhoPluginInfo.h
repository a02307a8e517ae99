/* What DPF asks of every plug-in. */
#ifndef DISTRHO_PLUGIN_INFO_H_INCLUDED
#define DISTRHO_PLUGIN_INFO_H_INCLUDED

#define DISTRHO_PLUGIN_BRAND "restyle"
#define DISTRHO_PLUGIN_NAME "restyle"
#define DISTRHO_PLUGIN_URI "urn:restyle:plugin"
#define DISTRHO_PLUGIN_CLAP_ID "restyle.plugin"
#define DISTRHO_PLUGIN_CLAP_FEATURES "audio-effect", "stereo"
#define DISTRHO_PLUGIN_VST3_CATEGORIES "Fx|Stereo"

#define DISTRHO_PLUGIN_NUM_INPUTS 2
#define DISTRHO_PLUGIN_NUM_OUTPUTS 2
#define DISTRHO_PLUGIN_HAS_UI 0
#define DISTRHO_PLUGIN_IS_RT_SAFE 1
#define DISTRHO_PLUGIN_WANT_LATENCY 1
#define DISTRHO_PLUGIN_WANT_STATE 1
#define DISTRHO_PLUGIN_WANT_FULL_STATE 1

/* DPF 1.6 does not hand on whether a VST3 host renders; plugin/build.sh has its wrapper call this. */
extern "C" void restyle_host_renders(void* plugin, bool renders);

#endif
