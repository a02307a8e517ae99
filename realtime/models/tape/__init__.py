"""Streaming graphs as a tape: one short native instruction a node, in memory that never moves."""
