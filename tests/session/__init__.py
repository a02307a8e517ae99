"""Tests of realtime/session."""
