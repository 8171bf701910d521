"""Slow plain-Python twins of the kernels, written to be read, used as oracles."""
