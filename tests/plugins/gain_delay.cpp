// Gain and a delay in whole samples, which the plug-in reports as its latency unless told not to.
// TEST_KEEPS: what is in the delay line outlives a reset, as in some real plug-ins.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "DistrhoPlugin.hpp"

START_NAMESPACE_DISTRHO

class GainDelay : public Plugin {
    static constexpr uint32_t kLength = 4096;
    enum { kGain, kDelay, kHonest, kMode, kCount };
    float fValue[kCount] = {0.0f, TEST_DELAY, 1.0f, 0.0f};
    float fLine[TEST_CHANNELS][kLength];
    uint32_t fAt = 0;

    void clear()
    {
        std::memset(fLine, 0, sizeof fLine);
        fAt = 0;
    }

    void report() { setLatency(fValue[kHonest] > 0.5f ? uint32_t(fValue[kDelay] + 0.5f) : 0); }

public:
    GainDelay() : Plugin(kCount, 0, 0)
    {
        clear();
        report();
        if (const char* const path = std::getenv("RESTYLE_TEST_LOADS")) // one byte for each load
            if (FILE* const file = std::fopen(path, "a")) {
                std::fputc('.', file);
                std::fclose(file);
            }
    }

protected:
    const char* getLabel() const override { return "gaindelay"; }
    const char* getMaker() const override { return DISTRHO_PLUGIN_BRAND; }
    const char* getLicense() const override { return "GPL-3.0-or-later"; }
    uint32_t getVersion() const override { return d_version(1, 2, 3); }
    int64_t getUniqueId() const override { return d_cconst('r', 'T', 'g', '0' + TEST_CHANNELS + 10 * (TEST_OUTPUTS != TEST_CHANNELS)); }

    void initParameter(uint32_t index, Parameter& p) override
    {
        p.hints = kParameterIsAutomatable;
        switch (index) {
        case kGain:
            p.name = "Gain"; p.symbol = "gain"; p.unit = "dB";
            p.ranges.min = -60.0f; p.ranges.max = 20.0f; p.ranges.def = 0.0f;
            break;
        case kDelay:
            p.name = "Delay"; p.symbol = "delay"; p.unit = "samples";
            p.hints |= kParameterIsInteger;
            p.ranges.min = 0.0f; p.ranges.max = 1000.0f; p.ranges.def = TEST_DELAY;
            break;
        case kHonest:
            p.name = "Honest"; p.symbol = "honest";
            p.hints |= kParameterIsBoolean;
            p.ranges.min = 0.0f; p.ranges.max = 1.0f; p.ranges.def = 1.0f;
            break;
        case kMode:
            p.name = "Mode"; p.symbol = "mode";
            p.hints |= kParameterIsInteger;
            p.ranges.min = 0.0f; p.ranges.max = 2.0f; p.ranges.def = 0.0f;
            p.enumValues.count = 3;
            p.enumValues.restrictedMode = true;
            p.enumValues.values = new ParameterEnumerationValue[3];
            const char* const labels[3] = {"Plain", "Inverted", "Swapped"};
            for (int k = 0; k < 3; ++k) {
                p.enumValues.values[k].label = labels[k];
                p.enumValues.values[k].value = float(k);
            }
            break;
        }
    }

    float getParameterValue(uint32_t index) const override { return fValue[index]; }

    void setParameterValue(uint32_t index, float value) override
    {
        fValue[index] = value;
        if (index != kGain) report();
    }

    void activate() override
    {
        if (!TEST_KEEPS) clear();
        report();
    }

    void run(const float** in, float** out, uint32_t frames) override
    {
        const float gain = std::pow(10.0f, fValue[kGain] / 20.0f) * (fValue[kMode] == 1.0f ? -1 : 1);
        const uint32_t delay = uint32_t(fValue[kDelay] + 0.5f);
        const bool swap = fValue[kMode] == 2.0f;
        for (uint32_t i = 0; i < frames; ++i, ++fAt) {
            for (uint32_t c = 0; c < TEST_CHANNELS; ++c)
                fLine[c][fAt % kLength] = in[c][i];
            for (uint32_t c = 0; c < TEST_OUTPUTS; ++c) {
                const uint32_t of = c % TEST_CHANNELS;
                const float part = gain / float(1 + c / TEST_CHANNELS); // further outputs are softer
                out[c][i] = part * fLine[swap ? TEST_CHANNELS - 1 - of : of][(fAt - delay) % kLength];
            }
        }
    }
};

Plugin* createPlugin() { return new GainDelay(); }

END_NAMESPACE_DISTRHO
