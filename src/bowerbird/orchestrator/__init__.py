"""Wires the stages together, and decides nothing else."""
