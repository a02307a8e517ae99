"""Parameters: names, ranges, values, mappings."""
