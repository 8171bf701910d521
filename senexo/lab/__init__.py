"""Virtual experiments: donors, cells, arms, and what an instrument would read."""
