"""Tests of realtime/chain."""
