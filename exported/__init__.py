"""Bundled models (``<name>.onnx``), their cards as pages, and the demo clip."""
