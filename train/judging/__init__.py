"""How a style is judged: candidates for each recording, distances, aims, report."""
