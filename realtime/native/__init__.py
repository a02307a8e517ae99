"""Compiled building blocks: intrinsics, rings, event queues, shared memory, the kernel cache."""
