/* The plug-in's side of the record: sound to the engine and back, the dry sound where it is late.
 *
 * What process() calls allocates nothing, locks nothing and waits for nothing, but in an offline
 * render, where it waits for the engine.
 */
#ifndef RESTYLE_BRIDGE_HPP
#define RESTYLE_BRIDGE_HPP

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <new>
#include <string>

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine.hpp"
#include "record.h"

class Bridge {
public:
    static constexpr uint32_t kLongestBlock = 1 << 15, kLongestLatency = 1 << 15;

    Bridge()
    {
        fFile = memfd_create("restyle-plugin", MFD_CLOEXEC);
        void* memory = MAP_FAILED;
        if (fFile >= 0 && ftruncate(fFile, sizeof(restyle_record)) == 0)
            memory = mmap(nullptr, sizeof(restyle_record), PROT_READ | PROT_WRITE, MAP_SHARED, fFile, 0);
        fShared = memory != MAP_FAILED;
        fRecord = fShared ? static_cast<restyle_record*>(memory) : new restyle_record();
        fRecord->magic = RESTYLE_MAGIC;
        fRecord->version = RESTYLE_VERSION;
        fRecord->size = sizeof(restyle_record);
        fRecord->owner = getpid();
        fRecord->latency = RESTYLE_LATENCY;
        for (int i = 0; i < RESTYLE_PARAMETERS; ++i) {
            fAsked[i] = 0.0f;
            fSent[i] = 0;
        }
    }

    ~Bridge()
    {
        publish(fRecord->closed, 1);
        fEngine.stop();
        if (fShared)
            munmap(fRecord, sizeof(restyle_record));
        else
            delete fRecord;
        if (fFile >= 0)
            close(fFile);
    }

    Bridge(const Bridge&) = delete;
    Bridge& operator=(const Bridge&) = delete;

    /* -- while nothing is processed ---------- */

    /* The host is about to process; blocks are at most `longest` samples. */
    void prepare(double rate, uint32_t longest)
    {
        if (!fTouched) { /* so that process() meets no page for the first time */
            std::memset(fRecord->input, 0, sizeof(fRecord->input));
            std::memset(fRecord->output, 0, sizeof(fRecord->output));
            fTouched = true;
        }
        fRecord->sample_rate = int64_t(std::lround(rate));
        fRecord->max_block = std::min(std::max(longest, 1u), kLongestBlock);
        begin();
        if (fShared)
            fEngine.start("/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fFile));
    }

    /* The sound as a preset's text: what plays, or what was restored and is not played yet. */
    std::string sound() const
    {
        const restyle_text& wanted = fRecord->wanted;
        const std::string restored(wanted.text, size_t(wanted.length));
        const restyle_text& kept = fRecord->kept;
        for (int tries = 0; tries < 1000; ++tries) {
            const int64_t serial = read(kept.serial);
            if (serial == 0 || read(fRecord->kept_for) != wanted.serial)
                return restored;
            if (serial % 2 == 0) {
                const std::string text(kept.text, size_t(kept.length));
                if (read(kept.serial) == serial)
                    return text;
            }
            const timespec nap = {0, 1000000};
            nanosleep(&nap, nullptr);
        }
        return restored;
    }

    /* Have it played; false where it is too long. */
    bool restore(const std::string& text)
    {
        restyle_text& wanted = fRecord->wanted;
        if (text.size() >= RESTYLE_TEXT)
            return false;
        if (text == sound())
            return true;
        publish(wanted.serial, wanted.serial + 1);
        std::memcpy(wanted.text, text.c_str(), text.size() + 1);
        wanted.length = int64_t(text.size());
        publish(wanted.serial, wanted.serial + 1);
        return true;
    }

    /* What is reported before an engine plays: the project's, as it was kept. */
    void expect(uint32_t latency)
    {
        if (!spoken())
            fRecord->latency = std::min(latency, kLongestLatency);
    }

    /* Open the page. */
    void show_page() { publish(fRecord->page, fRecord->page + 1); }

    /* -- at any time ---------- */

    uint32_t added() const { return uint32_t(std::min<int64_t>(read(fRecord->latency), kLongestLatency)); }

    /* Samples from input to output, whatever is heard. */
    uint32_t latency() const { return uint32_t(fRecord->max_block) + added(); }

    /* Move one of the sixteen from the next block on.  Hosts set what nobody has touched to its
     * default before there is an engine that knows better; that is no movement. */
    void turn(uint32_t which, float value)
    {
        if (value == 0.0f && !spoken() && fSent[which] == 0 && !(fTurned & (1u << which)))
            return;
        fAsked[which] = value;
        fTurned |= 1u << which;
    }

    float stands(uint32_t which) const
    {
        const bool on_its_way = fTurned & (1u << which) || fSent[which] > read(fRecord->events_read);
        return on_its_way ? fAsked[which].load() : fRecord->values[which];
    }

    /* -- process() ---------- */

    void process(const float* const* in, float* const* out, uint32_t frames, bool offline, bool bypass)
    {
        const bool anew = offline && (!fRecord->offline || fTakeSerial != read(fRecord->wanted.serial));
        fRecord->offline = offline;
        if (anew)
            begin(); /* a render, or one of another sound: from its initial state */
        for (uint32_t done = 0; done < frames;) {
            const uint32_t n = std::min(frames - done, uint32_t(fRecord->max_block));
            if (offline)
                wait([this] { return ready(); });
            send_turns();
            send(in, done, n);
            const int64_t first = fRecord->written - n - fRecord->max_block; /* to come out */
            if (offline)
                wait([this, first, n] { return ready() && read(fRecord->answered) >= first + n; });
            receive(out, done, n, first, bypass);
            done += n;
        }
    }

private:
    static constexpr int64_t kMask = RESTYLE_CAPACITY - 1;
    static constexpr float kStep = 1.0f / 64; /* of the fade between wet and dry, a sample */
    static constexpr int kPatienceS = 300; /* a first start compiles */

    restyle_record* fRecord;
    Engine fEngine;
    int fFile;
    bool fShared, fTouched = false;
    int64_t fTakeSerial = 0;
    std::atomic<uint32_t> fTurned{0};
    std::atomic<float> fAsked[RESTYLE_PARAMETERS];
    std::atomic<int64_t> fSent[RESTYLE_PARAMETERS];
    float fLevel = 0.0f, fLast[RESTYLE_CHANNELS] = {};
    bool fHolding = true, fGivenUp = false;

    static int64_t read(const int64_t& number) { return __atomic_load_n(&number, __ATOMIC_ACQUIRE); }
    static void publish(int64_t& number, int64_t value)
    {
        __atomic_store_n(&number, value, __ATOMIC_RELEASE);
    }

    bool spoken() const { return read(fRecord->taken) != 0; }

    /* Whether the engine plays this take, and the sound that was restored last. */
    bool ready() const
    {
        return read(fRecord->taken) == fRecord->take
            && read(fRecord->loaded) == read(fRecord->wanted.serial);
    }

    void wake() { syscall(SYS_futex, &fRecord->written, FUTEX_WAKE, 1, nullptr, nullptr, 0); }

    void begin()
    {
        fRecord->begin = fRecord->written;
        fTakeSerial = read(fRecord->wanted.serial);
        publish(fRecord->take, fRecord->take + 1);
        wake();
        fLevel = fRecord->offline ? 1.0f : 0.0f;
        fHolding = !fRecord->offline;
        fGivenUp = false;
        std::fill(fLast, fLast + RESTYLE_CHANNELS, 0.0f);
    }

    /* Offline: until the engine has come so far, or does not for five minutes. */
    template <typename Condition> void wait(Condition condition)
    {
        timespec begun, now;
        clock_gettime(CLOCK_MONOTONIC, &begun);
        while (!fGivenUp && !condition()) {
            const timespec nap = {0, 50000};
            nanosleep(&nap, nullptr);
            clock_gettime(CLOCK_MONOTONIC, &now);
            fGivenUp = now.tv_sec - begun.tv_sec > kPatienceS || fEngine.missing() || !fShared;
        }
    }

    void send_turns()
    {
        for (uint32_t turned = fTurned.exchange(0), i = 0; turned != 0; turned >>= 1, ++i) {
            if ((turned & 1) == 0)
                continue;
            const int64_t at = fRecord->events_written;
            if (at - read(fRecord->events_read) >= RESTYLE_EVENTS) {
                fTurned |= 1u << i; /* later */
                continue;
            }
            fRecord->events[at % RESTYLE_EVENTS] = {fRecord->written, int32_t(i), fAsked[i]};
            fSent[i] = at + 1;
            publish(fRecord->events_written, at + 1);
        }
    }

    void send(const float* const* in, uint32_t from, uint32_t n)
    {
        const int64_t at = fRecord->written;
        for (int c = 0; c < RESTYLE_CHANNELS; ++c)
            for (uint32_t i = 0; i < n; ++i)
                fRecord->input[c][(at + i) & kMask] = in[c][from + i];
        publish(fRecord->written, at + n);
        wake();
    }

    /* How many of `n` answers from position `first` on are there; silence lies before the take. */
    int64_t answers(int64_t first, int64_t n) const
    {
        if (read(fRecord->taken) != fRecord->take)
            return 0;
        const int64_t answered = read(fRecord->answered);
        if (first >= fRecord->begin && first < read(fRecord->valid))
            return 0;
        return std::min(std::max<int64_t>(answered - first, 0), n);
    }

    /* Wet sound, or dry at the same latency: held and faded where wet ends, faded where it comes. */
    void receive(float* const* out, uint32_t from, uint32_t n, int64_t first, bool bypass)
    {
        int64_t there = answers(first, n);
        const bool back = fLevel == 0.0f && there == n;
        if (fHolding && !back)
            there = 0;
        fHolding = there < n;
        const int64_t begin = fRecord->begin, dry_first = first - added();
        for (uint32_t i = 0; i < n; ++i) {
            const bool wet = i < there;
            const float goal = wet && !bypass ? 1.0f : 0.0f;
            fLevel = fLevel < goal ? std::min(goal, fLevel + kStep) : std::max(goal, fLevel - kStep);
            for (int c = 0; c < RESTYLE_CHANNELS; ++c) {
                if (wet)
                    fLast[c] = first + i < begin ? 0.0f : fRecord->output[c][(first + i) & kMask];
                float& y = out[c][from + i];
                if (fLevel == 1.0f) {
                    y = fLast[c];
                    continue;
                }
                const float dry = dry_first + i < begin ? 0.0f : fRecord->input[c][(dry_first + i) & kMask];
                y = fLevel * fLast[c] + (1.0f - fLevel) * (std::isfinite(dry) ? dry : 0.0f);
            }
        }
    }
};

#endif
