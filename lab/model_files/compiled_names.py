"""File names of compiled models and of their explanations."""

PROGRAM = "compiled.json"
ARRAYS = "compiled.npz"
REASONS = "reasons.json"
REASONS_ARRAYS = "reasons.npz"
