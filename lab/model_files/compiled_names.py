"""The names of a compiled model's files, and of those that explain it."""

PROGRAM = "compiled.json"
ARRAYS = "compiled.npz"
REASONS = "reasons.json"
REASONS_ARRAYS = "reasons.npz"
