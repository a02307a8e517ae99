"""Training loops: batches, checkpoints, settings, logs."""
