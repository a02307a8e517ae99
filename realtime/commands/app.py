"""The whole command line."""

from .mount import command_line

app = command_line()
