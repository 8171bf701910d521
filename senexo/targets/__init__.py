"""From sequence to rate: target sites of a miRNA, their affinity, and what they do to an mRNA."""
