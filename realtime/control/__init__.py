"""What turns the knobs of a running stream: presets, MIDI, OSC; none of it on the audio path."""
