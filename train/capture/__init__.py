"""Capture of an amplifier, pedal or plug-in: its signal, what came back, the network, the files."""
