"""The command line, one command a file; :mod:`realtime.cli` puts them together."""
