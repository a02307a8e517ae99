"""Tests of realtime/stages."""
