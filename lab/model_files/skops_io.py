"""Import skops, whose list of trusted types loads all of scikit-learn, without Dask and pytest."""

from lab.core.optional_imports import absent

with absent("dask", "pytest"):
    import skops.io as skops_io
    from skops.io.exceptions import UntrustedTypesFoundException

__all__ = ["UntrustedTypesFoundException", "skops_io"]
