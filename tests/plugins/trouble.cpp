// Crashes or hangs: while it is loaded (TEST_ON_LOAD), or in run() once its parameter is above 0.5.
#include <csignal>
#include <cstring>
#include <unistd.h>

#include "DistrhoPlugin.hpp"

START_NAMESPACE_DISTRHO

static void trouble()
{
#if TEST_HANG
    for (;;) usleep(10000);
#else
    std::raise(SIGSEGV);
#endif
}

class Trouble : public Plugin {
    float fTrouble = 0.0f;

public:
    Trouble() : Plugin(1, 0, 0)
    {
        if (TEST_ON_LOAD) trouble();
    }

protected:
    const char* getLabel() const override { return "trouble"; }
    const char* getMaker() const override { return DISTRHO_PLUGIN_BRAND; }
    const char* getLicense() const override { return "GPL-3.0-or-later"; }
    uint32_t getVersion() const override { return d_version(1, 0, 0); }
    int64_t getUniqueId() const override
    {
        return d_cconst('r', 'T', TEST_HANG ? 'h' : 'c', TEST_ON_LOAD ? 'l' : 'r');
    }

    void initParameter(uint32_t, Parameter& p) override
    {
        p.hints = kParameterIsAutomatable;
        p.name = "Trouble";
        p.symbol = "trouble";
        p.ranges.min = 0.0f;
        p.ranges.max = 1.0f;
        p.ranges.def = 0.0f;
    }

    float getParameterValue(uint32_t) const override { return fTrouble; }
    void setParameterValue(uint32_t, float value) override { fTrouble = value; }

    void run(const float** in, float** out, uint32_t frames) override
    {
        if (fTrouble > 0.5f) trouble();
        for (uint32_t c = 0; c < TEST_CHANNELS; ++c)
            std::memmove(out[c], in[c], frames * sizeof(float));
    }
};

Plugin* createPlugin() { return new Trouble(); }

END_NAMESPACE_DISTRHO
