"""The hot room: arrays in, arrays out."""
