"""Reading of PEtab problems (https://petab.readthedocs.io; doi 10.1371/journal.pcbi.1008646)."""
