/* What the plug-in and its engine share: one piece of memory, made by the plug-in.
 *
 * The plug-in writes its sound at positions that only grow, and the engine answers each sample at the
 * position at which it was asked, so an answer that comes too late is never taken for another.
 * Numbers are published with release and read with acquire ordering.  realtime/devices/plugin_record.py
 * is the same record in Python; tests/devices/test_plugin_record.py holds them against each other.
 */
#ifndef RESTYLE_RECORD_H
#define RESTYLE_RECORD_H

#include <stdint.h>

#define RESTYLE_MAGIC 0x31656c7974736572 /* "restyle1" */
#define RESTYLE_VERSION 1
#define RESTYLE_CHANNELS 2
#define RESTYLE_CAPACITY (1 << 17)  /* samples of a ring, each channel */
#define RESTYLE_EVENTS 4096
#define RESTYLE_PARAMETERS 16
#define RESTYLE_LATENCY 31          /* samples; that of a sound without stages */
#define RESTYLE_TEXT (1 << 20)      /* bytes of a sound as text, its final zero included */

/* The host's parameter `parameter` stands at `value` (0..1) from `position` on. */
typedef struct {
    int64_t position;
    int32_t parameter;
    float value;
} restyle_event;

/* A sound as a preset's text, UTF-8.  `serial` is odd while it is being written. */
typedef struct {
    int64_t serial;
    int64_t length;
    char text[RESTYLE_TEXT];
} restyle_text;

typedef struct {
    /* written by the plug-in: what this is, and the process that owns it */
    int64_t magic, version, size, owner, closed;
    /* a take begins: at `begin` the engine starts from its initial state.  `take` is written last */
    int64_t sample_rate, max_block, offline, begin, take;
    /* how often the page was asked for */
    int64_t page;
    int64_t unused_1[5];
    /* written by the plug-in with each block; whoever waits for sound waits at the low half of
     * `written` (futex) */
    int64_t written, events_written;
    int64_t unused_2[6];
    /* written by the engine's audio thread: answers lie before `answered`, and those from `valid` on
     * hold; `events_read`, `applied` count events that were taken, and those that moved anything */
    int64_t answered, valid, events_read, applied;
    int64_t unused_3[4];
    /* written by the engine: the take that it plays; samples between its input and its output; which
     * `wanted.serial` it plays */
    int64_t taken, latency, loaded;
    /* written by the process that keeps the engine: which `wanted.serial` it has asked for, and which
     * one `kept` answers to */
    int64_t made, kept_for;
    int64_t unused_4[3];
    /* where the sixteen parameters stand, 0..1 */
    float values[RESTYLE_PARAMETERS];
    restyle_event events[RESTYLE_EVENTS];
    /* the sound that the host restored, and the one that plays */
    restyle_text wanted, kept;
    float input[RESTYLE_CHANNELS][RESTYLE_CAPACITY];
    float output[RESTYLE_CHANNELS][RESTYLE_CAPACITY];
} restyle_record;

#endif
