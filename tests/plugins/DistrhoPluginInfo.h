// What DPF asks of every plug-in; the values come from the compiler's command line.
#pragma once

#define DISTRHO_PLUGIN_BRAND "restyle tests"
#define DISTRHO_PLUGIN_NAME TEST_NAME
#define DISTRHO_PLUGIN_URI "urn:restyle:" TEST_NAME
#define DISTRHO_PLUGIN_NUM_OUTPUTS TEST_OUTPUTS
#define DISTRHO_PLUGIN_HAS_UI 0
#define DISTRHO_PLUGIN_IS_RT_SAFE 1
#define DISTRHO_PLUGIN_WANT_LATENCY 1

#if TEST_SYNTH
#define DISTRHO_PLUGIN_NUM_INPUTS 0
#define DISTRHO_PLUGIN_VST3_CATEGORIES "Instrument|Synth"
#else
#define DISTRHO_PLUGIN_NUM_INPUTS TEST_CHANNELS
#define DISTRHO_PLUGIN_VST3_CATEGORIES "Fx|Delay"
#endif
