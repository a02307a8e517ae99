"""TorchScript models of other makes, taken apart in the helper's child, where alone they run."""
