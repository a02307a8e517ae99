"""The built plug-in in hosts of its formats."""
