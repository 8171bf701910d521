"""The experiment on mice that get the cells of each arm: engraftment, growth, treatment, secondary transplantation."""
