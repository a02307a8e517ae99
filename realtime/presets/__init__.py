"""Presets, chains and sessions as files: read, checked, written."""
