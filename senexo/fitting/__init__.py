"""Models fitted to measurements: PEtab problems, objective with gradient, searches, profiles in words."""
