"""The front door: what a user asks for, read, resolved and checked; pure data."""
