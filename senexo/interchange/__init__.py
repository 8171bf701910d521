"""SED-ML experiments, COMBINE archives, reports of BioSimulators and RO-Crates, in and out."""
