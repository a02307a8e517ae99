// An instrument, which a chain of effects has to refuse: a constant. It asks for no MIDI,
// since a VST3 that does brings a parameter for every controller of every channel.
#include "DistrhoPlugin.hpp"

START_NAMESPACE_DISTRHO

class Synth : public Plugin {
public:
    Synth() : Plugin(0, 0, 0) {}

protected:
    const char* getLabel() const override { return "synth"; }
    const char* getMaker() const override { return DISTRHO_PLUGIN_BRAND; }
    const char* getLicense() const override { return "GPL-3.0-or-later"; }
    uint32_t getVersion() const override { return d_version(1, 0, 0); }
    int64_t getUniqueId() const override { return d_cconst('r', 'T', 's', 'y'); }
    void initParameter(uint32_t, Parameter&) override {}
    float getParameterValue(uint32_t) const override { return 0.0f; }
    void setParameterValue(uint32_t, float) override {}

    void run(const float**, float** out, uint32_t frames) override
    {
        for (uint32_t c = 0; c < TEST_CHANNELS; ++c)
            for (uint32_t i = 0; i < frames; ++i)
                out[c][i] = 0.1f;
    }
};

Plugin* createPlugin() { return new Synth(); }

END_NAMESPACE_DISTRHO
