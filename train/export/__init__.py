"""From a checkpoint to a proved model file."""
