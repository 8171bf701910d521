"""The experiment on patients: cohorts under 7+3 with and without what an arm does, one cohort per world."""
