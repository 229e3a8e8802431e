"""Bowerbird: reinforcement learning in which a coding model learns to write its own harness."""

__version__ = "0.1.0"
