"""Blood counts: neutrophils and platelets with feedback on their precursors, and grades of toxicity."""
