"""The names of a compiled model's files."""

PROGRAM = "compiled.json"
ARRAYS = "compiled.npz"
