"""Causal networks written ``y, state = layer(x, state)``: one forward for one frame or many."""
