"""Scripted policies that try to be rewarded without solving, through the very path that a model's rollouts take."""
