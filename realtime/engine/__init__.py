"""The native lane: block adapter, hops, governor, latency."""
