"""A simulator of the asynchronous pipeline: its own admission rule and staleness weight, simulated clocks."""
