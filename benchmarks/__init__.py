"""What this machine makes of restyle: latency, CPU, missed callbacks, FFT and start-up.

``python -m benchmarks.latency`` (also ``restyle bench latency``), ``python -m benchmarks.fft`` and
``python -m benchmarks.startup`` print tables and write JSON (schema: :mod:`benchmarks.report`);
``python -m benchmarks.readme`` puts kept results into the README.  Numbers compare within one run
on one machine; none is a promise for another.
"""
