"""TorchScript models of other makes, taken apart in the helper's child: the only place that runs one."""
