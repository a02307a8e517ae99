"""Training data made here: own scores, rendered by FluidSynth or processed by teacher chains."""
