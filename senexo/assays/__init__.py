"""Bench statistics: the same code on measured and on simulated tables."""
