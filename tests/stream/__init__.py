"""Tests of realtime/stream."""
