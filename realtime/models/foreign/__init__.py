"""Models of other makes, turned into restyle's own.

JSON files of RTNeural, AIDA-X and GuitarML become a list of layers (:mod:`.layers`, read by
:mod:`.files`) that a float64 reference and an ONNX writer (:mod:`.graph`) understand.
:mod:`.seal` gives a streaming graph its card, its first state and its test vector.
"""
