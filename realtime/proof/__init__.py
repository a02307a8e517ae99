"""Proof of models: checks, verification, soaking."""
