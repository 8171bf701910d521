"""Pharmacokinetics: linear compartments, event records, and exact courses of amounts, concentrations and exposure."""
