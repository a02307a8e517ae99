"""Effects as compiled code: no delay, no allocation, no Python while they run.

They carry pedalboard's names, parameters and defaults, and its sound: the methods are published
ones, the constants were found by measuring pedalboard's output (``docs/effects.md`` has the
differences).  State advances by single samples, so that the bits are the same however the sound is
cut into blocks.
"""
