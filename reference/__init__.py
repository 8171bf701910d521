"""Reference implementations of the kernels in plain Python (slow twins), written to be read, used as oracles."""
