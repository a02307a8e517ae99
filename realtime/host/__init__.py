"""The engine process and the control process that watches it."""
