"""Simulation kernels: formulas compiled for numba, ODE solvers, exact stochastic simulation, populations of cells."""
