"""Neural Amp Modeler captures (``.nam``): read, checked, run by a kernel of their own, exported.

The format is that of the neural-amp-modeler project (file versions 0.5 to 0.7).  A capture becomes
a small program of a few operations (:mod:`.program`), which three independent parts understand: a
float64 reference (:mod:`.reference`), an ONNX writer (:mod:`.graph`) and a native kernel
(:mod:`.kernel`).
"""
