"""The ground: errors, units, random streams, tables, the result store, the sandbox. It knows no biology."""
