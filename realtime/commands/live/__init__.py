"""The command `restyle live`."""
