"""``restyle bench --quick`` and ``--full``: every measurement in one run, as a report.

One run is one pass over the sections of :mod:`benchmarks.suite.measure`.  What is compared is
measured in rounds that take turns, beside a fixed native workload
(:mod:`benchmarks.suite.reference`), so that ratios hold although the machine is not quiet.  The
result is JSON (``benchmarks/suite/report.schema.json``), from which the pages are drawn.
"""
