"""The reaction network in the words of SBML, its files, and the shipped circuits."""
