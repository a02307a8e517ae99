"""One hop through a path: input stage, slots, output stage.

:func:`process_hop` is the one piece of code behind the inline callback, the worker and offline
render, which is why their results are the same bits.  It touches preallocated memory only.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ..dsp.delay import DELAY_STATE, moving_delay, store_block
from ..dsp.dynamics import limit, ramp_gain, scrub
from ..dsp.meters import N_BINS, count_duration, level
from ..dsp.mix import mix
from ..native import events
from ..native.intrinsics import (
    flush_denormals,
    monotonic_ns,
    restore_denormals,
    view_f32,
    view_i64,
)
from ..native.late_numba import cfunc, njit, types
from ..native.records import F32, F64, FLOAT, I64, INT, Array, Table
from .governor import watch
from .slot import BYPASS, MIX, PARAMETERS, any_fades, lay_down, run_slots, view_slot
from .stage import STAGE, view_stage

# numbers of the path's own parameters in events, and their places in its arrays
INPUT_GAIN, OUTPUT_GAIN, PATH_MIX, OWN = 0, 1, 2, 3
IDLE = OWN  # number of the event that says whether nothing of the path is to be heard
PATH = 0  # identity of the path itself in events

# places of the meters
IN_PEAK, IN_POWER, OUT_PEAK, OUT_POWER, LIMITER_GAIN, N_METERS = 0, 1, 2, 3, 4, 5

EDIT = Table("edit", at=INT, condition=INT, taken=INT, count=INT, stores=Array(I64, "count, 2"))
"""A change that whoever runs the path makes between two hops: int64 values stored at addresses.

Made at position `at` or later, and not before the number at address `condition` (if any) is zero.
"""

PATH_TABLE = Table(
    "path",
    address=INT, hop_function=INT, clock=INT, channels=INT, hop=INT, longest_hop=INT,
    # addresses of the slots in order; of all slots, those inside groups, too, for events
    slots=INT, count=INT, all_slots=INT, all_count=INT, scratch_size=INT,
    scratch=Array(F32, "scratch_size"),
    # input and output stage
    targets=Array(F64, str(OWN)), current=Array(F64, str(OWN)), smoothing=FLOAT,
    meters=Array(F64, str(N_METERS)), meter_decay=FLOAT, limiter_gain=FLOAT, limiter_release=FLOAT,
    # the dry sound of the whole path
    latency=INT, settling=INT, line_length=INT, dry_line=Array(F32, "channels, line_length"),
    dry_state=Array(I64, str(DELAY_STATE)), dry=Array(F32, "channels, longest_hop"),
    # parameter events and edits, by positions of the path; `start` is the stream's at its first
    # sample, `now` is where the hop begins in the stream
    identity=INT, events=INT, edits=INT, start=INT, position=INT, now=INT,
    # whether nothing of it is to be heard, and whether its slots rest; the governor's deadline for
    # a hop (0: none); counters
    idle=INT, resting=INT, budget_ns=INT, hops=INT, input_scrubbed=INT, output_limited=INT,
    histogram=Array(I64, str(N_BINS)),
    # adapter between callbacks and hops
    max_block=INT, prefill=INT, fifo_in=Array(F32, "channels, hop"), fifo_in_fill=INT,
    fifo_out_capacity=INT, fifo_out=Array(F32, "channels, fifo_out_capacity"), fifo_out_read=INT,
    fifo_out_written=INT, resized=INT,
)  # fmt: skip
view_path = PATH_TABLE.view
view_edit = EDIT.view
path_targets, path_current = PATH_TABLE.array("targets"), PATH_TABLE.array("current")
path_meters, _dry_line = PATH_TABLE.array("meters"), PATH_TABLE.array("dry_line")
_dry_state, _histogram = PATH_TABLE.array("dry_state"), PATH_TABLE.array("histogram")
_stores, _stage_targets = EDIT.array("stores"), STAGE.array("targets")


@njit(nogil=True, error_model="numpy", cache=True)
def take_edits(p):  # type: ignore[no-untyped-def]
    """Make the edits whose time has come."""
    while events.pending(p.edits) > 0:
        edit = view_edit(int(events.first(p.edits)[events.VALUE]))
        if edit.at > p.position:
            return
        if edit.condition != 0 and view_i64(edit.condition, 1)[0] != 0:
            return
        stores = _stores(edit)
        for i in range(edit.count):
            view_i64(stores[i, 0], 1)[0] = stores[i, 1]
        edit.taken = p.position
        events.drop(p.edits)


@njit(nogil=True, error_model="numpy", cache=True)
def _set(p, identity, number, value):  # type: ignore[no-untyped-def]
    """Set one parameter's target, wherever it belongs."""
    if identity == PATH:
        if 0 <= number < OWN:
            path_targets(p)[number] = value
        elif number == IDLE:
            p.idle = int(value)
        return
    addresses = view_i64(p.all_slots, p.all_count)
    for i in range(p.all_count):
        slot = view_slot(addresses[i])
        if slot.identity != identity:
            continue
        if number == BYPASS:
            slot.bypass = value
        elif number == MIX:
            slot.mix = min(1.0, max(0.0, value))
        else:
            stage = view_stage(slot.incoming if slot.incoming != 0 else slot.stage)
            if 0 <= number - PARAMETERS < stage.n_parameters:
                _stage_targets(stage)[number - PARAMETERS] = value
                stage.changes += 1


@njit(nogil=True, error_model="numpy", cache=True)
def take_events(p):  # type: ignore[no-untyped-def]
    """Set the parameters whose time has come: those not later than this hop's first sample."""
    if p.events == 0:
        return
    while events.pending(p.events) > 0:
        event = events.first(p.events)
        if event[events.TIME] > p.start + p.position:
            return
        _set(p, int(event[events.TARGET]), int(event[events.SLOT]), event[events.VALUE])
        events.drop(p.events)


@njit(nogil=True, error_model="numpy", cache=True)
def smooth(p, number):  # type: ignore[no-untyped-def]
    """Move a gain one hop towards its target; return where the ramp starts and ends."""
    current, target = path_current(p), path_targets(p)[number]
    start = current[number]
    end = start + (target - start) * p.smoothing
    if abs(target - end) < 1e-5 * max(1.0, abs(target)):
        end = target
    current[number] = end
    return start, end


@njit(nogil=True, error_model="numpy", cache=True)
def front(p, block):  # type: ignore[no-untyped-def]
    """Input stage on ``block [channels, hop]`` in place: edits, events, gain, meter, dry sound."""
    take_edits(p)
    take_events(p)
    p.now = p.start + p.position
    p.input_scrubbed += scrub(block)
    start, end = smooth(p, INPUT_GAIN)
    ramp_gain(block, start, end)
    level(block, path_meters(p)[IN_PEAK : IN_PEAK + 2], p.meter_decay)
    dry = view_f32(p.dry, block.shape)
    wanted = min(p.latency, p.line_length - 1)
    state = _dry_state(p)
    if path_current(p)[PATH_MIX] == path_targets(p)[PATH_MIX] == 1.0:
        state[1] = state[2] = wanted
        store_block(block, _dry_line(p), state)
    else:
        moving_delay(block, _dry_line(p), state, wanted, dry)


@njit(nogil=True, error_model="numpy", cache=True)
def back(p, block):  # type: ignore[no-untyped-def]
    """Output stage in place: mix, scrub, gain, limiter, meter, the governor's verdict."""
    start, end = smooth(p, PATH_MIX)
    mix(view_f32(p.dry, block.shape), block, start, end)
    scrub(block)
    start, end = smooth(p, OUTPUT_GAIN)
    ramp_gain(block, start, end)
    scrub(block)
    p.limiter_gain, touched = limit(block, p.limiter_gain, p.limiter_release)
    p.output_limited += touched
    meters = path_meters(p)
    meters[LIMITER_GAIN] = p.limiter_gain
    level(block, meters[OUT_PEAK : OUT_PEAK + 2], p.meter_decay)
    if p.budget_ns != 0:
        _judge(p)
    p.hops += 1
    p.position += block.shape[1]


@njit(nogil=True, error_model="numpy", cache=True)
def _judge(p):  # type: ignore[no-untyped-def]
    """Hold what the governed stages took against the deadline; the slowest answers for it."""
    addresses = view_i64(p.all_slots, p.all_count)
    total, slowest = 0, 0
    for i in range(p.all_count):
        slot = view_slot(addresses[i])
        stage = view_stage(slot.stage)
        if stage.governed != 0 and stage.resting == 0:
            total += stage.spent
            if slowest == 0 or stage.spent > view_stage(slowest).spent:
                slowest = slot.stage
    if slowest != 0:
        watch(view_stage(slowest), total, p.budget_ns)


@njit(nogil=True, error_model="numpy", cache=True)
def rests(p):  # type: ignore[no-untyped-def]
    """Whether the slots need not run, as nothing is heard of them; they start afresh afterwards."""
    if p.idle != 0 and not any_fades(p.slots, p.count):
        p.resting = 1
        return True
    if p.resting != 0:
        lay_down(p.slots, p.count)
        p.resting = 0
    return False


@njit(nogil=True, error_model="numpy", cache=True)
def process_hop(p, block):  # type: ignore[no-untyped-def]
    """Run the path on ``block [shape=(channels, hop)]`` in place; all its stages are native."""
    begin = monotonic_ns(p.clock)
    front(p, block)
    if not rests(p):
        run_slots(p.slots, p.count, block, p.scratch)
    back(p, block)
    count_duration(_histogram(p), monotonic_ns(p.clock) - begin)


@njit(nogil=True, error_model="numpy", cache=True)
def denormals_off():  # type: ignore[no-untyped-def]
    """Treat denormals as zero in this thread, as the callback does; what :func:`denormals_back`
    undoes.
    """
    return flush_denormals()


@njit(nogil=True, error_model="numpy", cache=True)
def denormals_back(old):  # type: ignore[no-untyped-def]
    """Undo :func:`denormals_off`."""
    restore_denormals(old)


@njit(nogil=True, error_model="numpy", cache=True)
def front_at(address, block):  # type: ignore[no-untyped-def]
    """:func:`front` by address, for Python callers; whether the slots are to run."""
    front(view_path(address), block)
    return not rests(view_path(address))


@njit(nogil=True, error_model="numpy", cache=True)
def back_at(address, block, spent):  # type: ignore[no-untyped-def]
    """:func:`back` by address, for Python callers; `spent` nanoseconds went into the slots."""
    p = view_path(address)
    back(p, block)
    count_duration(_histogram(p), spent)


@cache
def hop_function() -> Any:
    """C function ``hop(path, block, 0) -> 0``: :func:`process_hop` by addresses.

    Everyone calls this one piece of machine code, by the address in ``path.hop_function``: it is
    compiled once, and the results are the same bits because the code is the same bytes.
    """

    @cfunc(
        types.int64(types.int64, types.int64, types.int64),
        nopython=True,
        error_model="numpy",
        cache=True,
    )
    def hop(path_address, block_address, unused):  # type: ignore[no-untyped-def]
        p = view_path(path_address)
        process_hop(p, view_f32(block_address, (p.channels, p.hop)))
        return 0

    return hop
