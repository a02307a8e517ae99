"""Single notes, and what is played with them: the ear's training sound."""
