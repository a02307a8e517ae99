"""What a machine makes of restyle: cost, latency, missed callbacks, memory, beside other ways.

``restyle bench --quick`` and ``--full`` measure everything in one run (:mod:`benchmarks.suite`);
``restyle bench NAME`` is one of the modules here, which prints tables and writes JSON (schema:
:mod:`benchmarks.rig.tables`).  ``python -m benchmarks.pages.readme`` puts kept results into the
pages. Numbers compare within one run on one machine; none is a promise for another.
"""
