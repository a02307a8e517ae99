"""What a listener would object to in a style, measured on test tones that the player played."""
