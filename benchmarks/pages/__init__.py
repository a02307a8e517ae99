"""Pages and pictures made of measurements."""
