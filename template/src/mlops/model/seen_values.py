"""Which texts training has seen, told apart from new ones without keeping any in clear.

A Bloom filter (B. Bloom, Space/time trade-offs in hash coding with allowable errors, 1970): a text
sets `hashes` bits; one that finds all its bits set counts as seen. What was seen always does; of
what was not, the share `error` does, (1 - exp(-hashes * values / bits)) ** hashes. A filter answers
whether a text that somebody already has was seen; no text can be read from it.
"""

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection
from hashlib import blake2b
from struct import Struct

from .metadata import SeenValues

# As many as a digest has parts; with so many bits a value, the error is one in a million.
MOST_HASHES, BITS_A_VALUE = 16, 29.3
PARTS = Struct("<16I")
LEAST_BITS = 2**9
MOST_BITS = 2**20  # 128 KiB of a model's file, for each column
# With more errors than that it says nothing: names and free text, of which nearly all are new.
MOST_ERROR = 0.1


def remember_values(values: Collection[str], rows_alone: int, rows: int) -> SeenValues | None:
    """Make the filter of different values; None if they are too many to be told apart.

    `rows_alone` of the `rows` hold a value that no other row holds: their share estimates how many
    of the next rows hold one that was never seen (I. J. Good, The population frequencies of
    species, 1953), which is what is `expected`.
    """
    many = max(1, len(values))
    bits = min(MOST_BITS, max(LEAST_BITS, 8 * math.ceil(many * BITS_A_VALUE / 8)))
    hashes = min(MOST_HASHES, max(1, round(bits / many * math.log(2))))
    error = (1 - math.exp(-hashes * many / bits)) ** hashes
    if error > MOST_ERROR:
        return None
    filled = bytearray(bits // 8)
    for value in values:
        for place in _find_places(value, hashes, bits):
            filled[place >> 3] |= 1 << (place & 7)
    return {
        "filter": b64encode(filled).decode("ascii"),
        "hashes": hashes,
        "error": float(f"{error:.2g}"),
        "expected": float(f"{rows_alone / max(1, rows):.6g}"),
    }


def recall_values(seen: SeenValues) -> Callable[[str], bool]:
    """Return the function that tells whether a text was seen."""
    filled, hashes = b64decode(seen["filter"]), seen["hashes"]
    bits = 8 * len(filled)

    def was_seen(value: str) -> bool:
        places = _find_places(value, hashes, bits)
        return all(filled[place >> 3] >> (place & 7) & 1 for place in places)

    return was_seen


def _find_places(value: str, hashes: int, bits: int) -> list[int]:
    digest = blake2b(value.encode("utf-8", "surrogatepass"), digest_size=64).digest()
    return [part % bits for part in PARTS.unpack(digest)[:hashes]]
