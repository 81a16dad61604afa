"""Check the declared sizes in a zip file of arrays before anything is unpacked."""

import io
import math
import zipfile

import numpy as np

MOST_DIRECTORY_BYTES = 1_000_000  # about 20,000 members
END = b"PK\x05\x06"
NUMBERS = "biuf"
NUMBERS_TEXTS_AND_RECORDS = f"{NUMBERS}USV"
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def members_of(content: bytes, *, kinds: str = NUMBERS, most_growth: int = 1) -> dict[str, bytes]:
    """Return the members of a zip file; arrays must be of these kinds.

    Members that are larger than the file, by more than the growth, and arrays that declare more than they have raise
    ValueError before they take memory.
    """
    if content[-22:-18] != END or int.from_bytes(content[-10:-6], "little") > MOST_DIRECTORY_BYTES:
        raise ValueError("no zip file with a short directory at its end")
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = file.infolist()
        if (size := sum(member.file_size for member in members)) > most_growth * len(content):
            raise ValueError(f"{len(content)} bytes unpack to {size}")
        found = {member.filename: file.read(member) for member in members}
    for name, array in found.items():
        if name.endswith(".npy"):
            _check_array(array, kinds=kinds)
    return found


def _check_array(content: bytes, *, kinds: str) -> None:
    stream = io.BytesIO(content)
    shape, _, kind = HEADERS[np.lib.format.read_magic(stream)](stream)
    if kind.kind not in kinds or kind.hasobject or math.prod(shape) * kind.itemsize != len(content) - stream.tell():
        raise ValueError(f"found an array of {kind} with the shape {shape}")
