"""What turns knobs from outside: MIDI, OSC, keys."""
