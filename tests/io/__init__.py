"""Tests of realtime/io."""
