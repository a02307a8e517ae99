"""Tests of realtime/devices."""
