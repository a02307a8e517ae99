"""Tests of realtime/native."""
