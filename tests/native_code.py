"""What a compiled function may call, read from the code that runs, compiled now or cached."""

from __future__ import annotations

import re
from typing import Any


def faults(function: Any) -> list[str]:
    """What `function` (a ``cfunc``, or what has its ``_library``) has in it that would allocate,
    raise or ask for the GIL.
    """
    code = str(function._library._get_module_for_linking())
    assert len(code) > 3000, "no machine code to look at"
    bad = re.findall(r"NRT_Allocate|NRT_MemInfo_alloc\w*|NRT_MemInfo_new\w*|NRT_Realloc", code)
    bad += re.findall(r"picklebuf", code)  # an exception object: something may raise
    # GIL calls may stand in the wrapper's error branch only, which nothing above can reach
    for body in re.split(r"\n(?=define )", code):
        name = re.match(r'define[^@]*@"?([^"(]*)', body)
        if name and not name.group(1).startswith(("cfunc.", "_ZN7cpython")):
            bad += re.findall(r"call [^@]*@(numba_gil\w*|PyGILState\w*|Py\w+)", body)
    return sorted(set(bad))
