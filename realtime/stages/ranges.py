"""Parameters of the built-in effects: sensible ranges, defaults, and useful values to begin with.

Names, units and defaults are pedalboard's (a test compares them); the ranges are narrower than what
pedalboard accepts where more would be silence, noise or no change to hear.
"""

from __future__ import annotations

from ..parameters.parameter import CATEGORICAL, SWITCH, Parameter


def _mix(default: float = 0.5) -> Parameter:
    return Parameter("mix", 0.0, 1.0, default)


def _attack() -> Parameter:
    return Parameter("attack_ms", 0.1, 200.0, 1.0, "ms")


def _release() -> Parameter:
    return Parameter("release_ms", 1.0, 2000.0, 100.0, "ms")


def _threshold(default: float, lowest: float = -80.0) -> Parameter:
    return Parameter("threshold_db", lowest, 0.0, default, "dB")


def _cutoff(default: float, name: str = "cutoff_frequency_hz") -> Parameter:
    return Parameter(name, 20.0, 20000.0, default, "Hz")


def _shelf() -> tuple[Parameter, ...]:
    gain = Parameter("gain_db", -30.0, 30.0, 0.0, "dB")
    return _cutoff(440.0), gain, Parameter("q", 0.1, 10.0, 0.5**0.5)


_MODES = ("LPF12", "HPF12", "BPF12", "LPF24", "HPF24", "BPF24")
_QUALITIES: tuple[str, ...] = ("ZeroOrderHold", "Linear", "CatmullRom", "Lagrange", "WindowedSinc")
_QUALITIES += tuple(f"WindowedSinc{taps}" for taps in (8, 16, 32, 64, 128, 256))

_RANGES: dict[str, tuple[Parameter, ...]] = {
    "Bitcrush": (Parameter("bit_depth", 1.0, 32.0, 8.0, "bits"),),
    "BrickwallLimiter": (
        Parameter("ceiling_db", -24.0, 0.0, -1.0, "dB"),
        _release(),
        Parameter("lookahead_ms", 0.1, 20.0, 5.0, "ms", live=False),
        Parameter("true_peak", kind=SWITCH, live=False),
    ),
    "Chorus": (
        Parameter("rate_hz", 0.0, 20.0, 1.0, "Hz"),
        Parameter("depth", 0.0, 1.0, 0.25),
        Parameter("centre_delay_ms", 1.0, 50.0, 7.0, "ms"),
        Parameter("feedback", -0.95, 0.95, 0.0),
        _mix(),
    ),
    "Clipping": (_threshold(-6.0, -40.0),),
    "Compressor": (
        _threshold(0.0),
        Parameter("ratio", 1.0, 40.0, 1.0),
        _attack(),
        _release(),
    ),
    "Convolution": (_mix(1.0),),
    "Delay": (
        Parameter("delay_seconds", 0.0, 5.0, 0.5, "s"),
        Parameter("feedback", 0.0, 0.98, 0.0),
        _mix(),
    ),
    "Distortion": (Parameter("drive_db", 0.0, 60.0, 25.0, "dB"),),
    "Gain": (Parameter("gain_db", -80.0, 24.0, 1.0, "dB"),),
    "HighShelfFilter": _shelf(),
    "HighpassFilter": (_cutoff(50.0),),
    "Invert": (),
    "LadderFilter": (
        Parameter("mode", 0.0, len(_MODES) - 1.0, kind=CATEGORICAL, choices=_MODES),
        _cutoff(200.0, "cutoff_hz"),
        Parameter("resonance", 0.0, 1.0, 0.0),
        Parameter("drive", 1.0, 20.0, 1.0),
    ),
    "Limiter": (_threshold(-10.0, -60.0), _release()),
    "LowShelfFilter": _shelf(),
    "LowpassFilter": (_cutoff(50.0),),
    "MP3Compressor": (Parameter("vbr_quality", 0.0, 9.5, 2.0, live=False),),
    "NoiseGate": (
        _threshold(-100.0, -100.0),
        Parameter("ratio", 1.0, 40.0, 10.0),
        _attack(),
        _release(),
    ),
    "PeakFilter": _shelf(),
    "Phaser": (
        Parameter("rate_hz", 0.0, 20.0, 1.0, "Hz"),
        Parameter("depth", 0.0, 1.0, 0.5),
        Parameter("centre_frequency_hz", 20.0, 20000.0, 1300.0, "Hz"),
        Parameter("feedback", -0.95, 0.95, 0.0),
        _mix(),
    ),
    "Resample": (
        Parameter("target_sample_rate", 2000.0, 96000.0, 8000.0, "Hz", live=False),
        Parameter(
            "quality", 0.0, len(_QUALITIES) - 1.0, _QUALITIES.index("WindowedSinc32"),
            kind=CATEGORICAL, choices=_QUALITIES, live=False,
        ),
    ),
    "Reverb": (
        Parameter("room_size", 0.0, 1.0, 0.5),
        Parameter("damping", 0.0, 1.0, 0.5),
        Parameter("wet_level", 0.0, 1.0, 0.33),
        Parameter("dry_level", 0.0, 1.0, 0.4),
        Parameter("width", 0.0, 1.0, 1.0),
        Parameter("freeze_mode", 0.0, 1.0, 0.0),
    ),
}  # fmt: skip

RANGES = {name: tuple(p.at(p.default) for p in listed) for name, listed in _RANGES.items()}

# what the native effects have besides
_OWN = {
    "NoiseGate": (
        Parameter("hold_ms", 0.0, 2000.0, 0.0, "ms"),
        Parameter("hysteresis_db", 0.0, 40.0, 0.0, "dB"),
    ),
    "Convolution": (Parameter("normalize", kind=CATEGORICAL, choices=("off", "on")),),
}
# of these pedalboard has none
TOOLS = {
    "Tuner": (
        Parameter("mute", kind=SWITCH),
        Parameter("reference_hz", 415.0, 466.0, 440.0, "Hz"),
    ),
    "Metronome": (
        Parameter("play", default=1.0, kind=SWITCH),
        Parameter("tempo_bpm", 20.0, 400.0, 120.0, "bpm"),
        Parameter("beats", 1.0, 16.0, 4.0, kind=CATEGORICAL),
        Parameter("level_db", -60.0, 0.0, -12.0, "dB"),
    ),
    "Looper": (
        Parameter("record", kind=SWITCH),
        Parameter("play", default=1.0, kind=SWITCH),
        Parameter("undo", kind=SWITCH),
        Parameter("clear", kind=SWITCH),
        Parameter("level_db", -60.0, 6.0, 0.0, "dB"),
        Parameter("quantise", default=2.0, maximum=2.0, kind=CATEGORICAL,
                  choices=("off", "beat", "bar")),
        Parameter("seconds", 1.0, 600.0, 60.0, "s", live=False),
        Parameter("late_ms", 0.0, 500.0, 0.0, "ms"),
    ),
    "VoiceShift": (
        Parameter("pitch_semitones", -12.0, 12.0, 0.0, "semitones"),
        Parameter("formant_semitones", -12.0, 12.0, 0.0, "semitones"),
        Parameter("robot", 0.0, 1.0, 0.0),
        Parameter("breath", 0.0, 1.0, 0.0),
    ),
    "DropTune": (Parameter("semitones", -12.0, 12.0, 0.0, "semitones"),),
    "DeHum": (
        Parameter("mains", maximum=2.0, kind=CATEGORICAL, choices=("auto", "50 Hz", "60 Hz")),
        Parameter("harmonics", 1.0, 40.0, 20.0, step=1.0),
        Parameter("width_hz", 0.2, 10.0, 1.5, "Hz"),
        Parameter("strength", 0.0, 1.0, 1.0),
    ),
    "AutoGain": (
        Parameter("target_lufs", -40.0, -10.0, -20.0, "LUFS"),
        Parameter("ceiling_db", -24.0, 0.0, -3.0, "dB"),
        Parameter("most_db", 0.0, 30.0, 15.0, "dB"),
        Parameter("gate_lufs", -80.0, -20.0, -50.0, "LUFS"),
        Parameter("speed_db", 0.5, 20.0, 3.0, "dB/s"),
    ),
    "Widener": (
        Parameter("width", 0.0, 1.0, 0.5),
        Parameter("bass_hz", 20.0, 500.0, 120.0, "Hz"),
        Parameter("rate_hz", 0.0, 2.0, 0.3, "Hz"),
        Parameter("depth", 0.0, 1.0, 0.5),
    ),
}  # fmt: skip
_PEDALBOARDS = ("BrickwallLimiter", "MP3Compressor", "Resample")  # of these there is no native one

NATIVE_RANGES = {
    name: (*listed, *_OWN.get(name, ()))
    for name, listed in RANGES.items()
    if name not in _PEDALBOARDS
} | {name: tuple(p.at(p.default) for p in listed) for name, listed in TOOLS.items()}
NATIVE, PEDALBOARD = ENGINES = ("native", "pedalboard")

# where an effect at its defaults changes nothing, or cannot be heard: what to begin with instead
_USEFUL: dict[str, dict[str, float]] = {
    "Bitcrush": {"bit_depth": 8.0},
    "Compressor": {"threshold_db": -24.0, "ratio": 4.0, "attack_ms": 10.0},
    "Delay": {"delay_seconds": 0.35, "feedback": 0.35, "mix": 0.3},
    "Distortion": {"drive_db": 18.0},
    "DropTune": {"semitones": -2.0},
    "HighShelfFilter": {"cutoff_frequency_hz": 4000.0, "gain_db": 4.0},
    "HighpassFilter": {"cutoff_frequency_hz": 80.0},
    "LadderFilter": {"cutoff_hz": 1200.0, "resonance": 0.3},
    "LowShelfFilter": {"cutoff_frequency_hz": 200.0, "gain_db": 4.0},
    "LowpassFilter": {"cutoff_frequency_hz": 6000.0},
    "NoiseGate": {"threshold_db": -50.0, "hold_ms": 50.0, "hysteresis_db": 6.0},
    "PeakFilter": {"cutoff_frequency_hz": 1000.0, "gain_db": 4.0, "q": 1.0},
    "Reverb": {"wet_level": 0.15},
    "VoiceShift": {"pitch_semitones": -4.0, "formant_semitones": -2.0},
}


def is_native(name: str, engine: str | None = None) -> bool:
    """Whether compiled code plays an effect; `engine` is what its stage asks for."""
    return name in NATIVE_RANGES and engine != PEDALBOARD


def effect_ranges(name: str, engine: str | None = None) -> tuple[Parameter, ...] | None:
    """Parameters of an effect at their defaults; None where they are not known."""
    return NATIVE_RANGES[name] if is_native(name, engine) else RANGES.get(name)


def useful_defaults(name: str) -> dict[str, float]:
    """Values that let an effect be heard when it is put into a path.

    In files an effect has pedalboard's defaults, with which a gate never closes.
    """
    return dict(_USEFUL.get(name, {}))
