"""Tests of realtime/dsp."""
