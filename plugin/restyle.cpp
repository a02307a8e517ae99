/* The plug-in that hosts see: a bridge to an engine, its sound as state, sixteen parameters. */
#include <cstdlib>
#include <string>

#include "DistrhoPlugin.hpp"
#include "bridge.hpp"

START_NAMESPACE_DISTRHO

class Restyle : public Plugin {
    enum { kBypass, kOffline, kPage, kFirst, kCount = kFirst + RESTYLE_PARAMETERS };
    enum { kSound, kLatency, kStates };

    Bridge fBridge;
    std::atomic<bool> fBypass{false}, fOffline{false}, fPage{false}, fHostRenders{false};

    void report() { setLatency(fBridge.latency()); }

public:
    Restyle() : Plugin(kCount, 0, kStates) { report(); }

    void host_renders(bool renders) { fHostRenders = renders; }

protected:
    const char* getLabel() const override { return "restyle"; }
    const char* getDescription() const override
    {
        return "Sound restyled by a streaming neural network, in an engine of its own.";
    }
    const char* getMaker() const override { return DISTRHO_PLUGIN_BRAND; }
    const char* getLicense() const override { return "GPL-3.0-or-later"; }
    uint32_t getVersion() const override { return d_version(1, 0, 0); }
    int64_t getUniqueId() const override { return d_cconst('r', 's', 't', 'l'); }

    void initAudioPort(bool input, uint32_t index, AudioPort& port) override
    {
        port.groupId = kPortGroupStereo;
        Plugin::initAudioPort(input, index, port);
    }

    void initParameter(uint32_t index, Parameter& p) override
    {
        if (index == kBypass) {
            p.initDesignation(kParameterDesignationBypass);
            return;
        }
        p.hints = kParameterIsAutomatable;
        p.ranges = ParameterRanges(0.0f, 0.0f, 1.0f);
        if (index == kOffline) {
            p.hints = kParameterIsBoolean | kParameterIsInteger;
            p.name = "Offline";
            p.symbol = "offline";
            p.description = "Wait for the engine: for renders, where a host does not say so itself.";
        } else if (index == kPage) {
            p.hints = kParameterIsBoolean | kParameterIsInteger;
            p.name = "Open page";
            p.symbol = "page";
            p.description = "Turned on, it opens the engine's page in a browser.";
        } else {
            const String number(index - kFirst + 1);
            p.name = String("Parameter ") + number;
            p.symbol = String("parameter_") + number;
        }
    }

    void initState(uint32_t index, State& state) override
    {
        state.hints = kStateIsOnlyForDSP;
        state.key = index == kSound ? "sound" : "latency";
        state.label = index == kSound ? "Sound" : "Latency";
        state.defaultValue = "";
    }

    String getState(const char* key) const override
    {
        if (std::strcmp(key, "sound") == 0)
            return String(fBridge.sound().c_str());
        return String(fBridge.added());
    }

    void setState(const char* key, const char* value) override
    {
        if (std::strcmp(key, "latency") == 0) {
            fBridge.expect(uint32_t(std::max(0L, std::strtol(value, nullptr, 10))));
            report();
        } else if (!fBridge.restore(value)) {
            d_stderr2("restyle: a sound of more than %d KiB is not restored", RESTYLE_TEXT >> 10);
        }
    }

    float getParameterValue(uint32_t index) const override
    {
        switch (index) {
        case kBypass: return fBypass;
        case kOffline: return fOffline;
        case kPage: return fPage;
        default: return fBridge.stands(index - kFirst);
        }
    }

    void setParameterValue(uint32_t index, float value) override
    {
        const bool on = value > 0.5f;
        switch (index) {
        case kBypass: fBypass = on; break;
        case kOffline: fOffline = on; break;
        case kPage:
            if (on && !fPage.exchange(on))
                fBridge.show_page();
            fPage = on;
            break;
        default: fBridge.turn(index - kFirst, value); break;
        }
    }

    void activate() override
    {
        fBridge.prepare(getSampleRate(), getBufferSize());
        report();
    }

    void run(const float** in, float** out, uint32_t frames) override
    {
        fBridge.process(in, out, frames, fOffline || fHostRenders, fBypass);
        report();
    }
};

Plugin* createPlugin() { return new Restyle(); }

END_NAMESPACE_DISTRHO

extern "C" void restyle_host_renders(void* plugin, bool renders)
{
    using namespace DISTRHO_NAMESPACE;
    static_cast<Restyle*>(static_cast<Plugin*>(plugin))->host_renders(renders);
}
