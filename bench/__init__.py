"""Speed against peers, side by side in one run, with the answers asserted. Ratios, never bare seconds."""
