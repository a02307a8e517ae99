"""Tests of realtime/models."""
