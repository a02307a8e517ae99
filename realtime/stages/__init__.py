"""Stages: what turns a block into a block, pedalboard effects and plug-ins among them."""
