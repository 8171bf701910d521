"""Study files: read, checked against the model, and resolved to one complete form; pure data."""
