"""What a model hears and does, in pictures and sounds."""
