"""Tests of realtime/controllers."""
