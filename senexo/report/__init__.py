"""Figures, tables and the one-file page, from a result folder alone."""
