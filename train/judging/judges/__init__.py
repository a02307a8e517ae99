"""Outside judges: networks that others trained, with weights inside their packages.

None of them is ever part of a loss, so that what they say of a style is not what it was taught.
"""
