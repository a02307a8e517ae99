"""Effect chains in the Python lane: the stage interface, pedalboard effects, chain files."""
