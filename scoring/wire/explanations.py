"""The part of a score's JSON that only rows from `watch` on have: features by name, contributions, reasons.

By compiled code 9 us a row of 46 features, nearly all of it the numbers, instead of 14 by way of dictionaries.
"""

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import entry, lent
from scoring.wire.packed import Bytes, Packed, pack, pack_json, put

VALUES, PARTS, END = range(3)
_AROUND = pack([b',"named_features":{', b'},"contributions":{', b"}"])
_COMMA = ord(",")


def write_explanations(
    names: Packed, values: NDArray[np.float64], parts: NDArray[np.float64], endings: Packed
) -> Packed:
    """The JSON from `named_features` on, of k rows.

    Args:
        names: of F features, as JSON and with a colon behind.
        values: features as seen, float64[k, F]; what is not a finite number is null.
        parts: contributions, float64[k, F]; those of 0 are left out.
        endings: what follows in each row.
    """
    numbers, added = pack_json(values.ravel().tolist()), pack_json(parts.ravel().tolist())
    twice_the_names = 2 * (len(names.raw) + values.shape[1])
    most = len(numbers.raw) + len(added.raw) + len(endings.raw) + len(values) * (twice_the_names + len(_AROUND.raw))
    out, bounds = np.empty(most, np.uint8), np.zeros(len(values) + 1, np.int64)
    _write(_AROUND, names, numbers, added, parts, endings, out, bounds)
    return Packed(out, bounds[:-1], bounds[1:])


@entry
def _write(
    around: Packed,
    names: Packed,
    numbers: Packed,
    added: Packed,
    parts: NDArray[np.float64],
    endings: Packed,
    out: Bytes,
    bounds: NDArray[np.int64],
) -> None:
    around, names, numbers, added, parts = lent(around), lent(names), lent(numbers), lent(added), lent(parts)
    endings, out, bounds = lent(endings), lent(out), lent(bounds)
    at, width = 0, parts.shape[1]
    for row in range(len(parts)):
        at = put(out, at, around, VALUES)
        for feature in range(width):
            if feature:
                out[at] = _COMMA
                at += 1
            at = put(out, at, names, feature)
            at = put(out, at, numbers, row * width + feature)
        at = put(out, at, around, PARTS)
        first = True
        for feature in range(width):
            if parts[row, feature] != 0:
                if not first:
                    out[at] = _COMMA
                    at += 1
                first = False
                at = put(out, at, names, feature)
                at = put(out, at, added, row * width + feature)
        at = put(out, at, around, END)
        at = put(out, at, endings, row)
        bounds[row + 1] = at
