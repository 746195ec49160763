"""Compiles the kernels ahead of their first use, which takes some 20 s once: `python -m scoring.warm`."""

from collections.abc import Iterable

import numpy as np

from scoring.catalog import views
from scoring.event_columns import fields_of
from scoring.features.batch import EventBatch
from scoring.features.spec import FeatureView
from scoring.features.table import fold_table
from scoring.features.text_columns import cut_places, hash_texts, index_of, same_texts, texts_of
from scoring.kernel_cache import mark_complete
from scoring.murmur2 import homes_of
from scoring.wire.explanations import write_explanations
from scoring.wire.kafka_records import Records, around, most_bytes, write_records
from scoring.wire.packed import pack, pack_json
from scoring.wire.read_json import read_objects
from scoring.wire.read_records import (
    Batches,
    header_values,
    headers_at,
    like_the_one_before,
    locate_records,
    numbers_after,
)
from scoring.wire.scores import Rows, Template, write_scores


def warm_up(of: Iterable[FeatureView]) -> None:
    """Folds, writes and reads nothing; numba compiles or loads what that takes and keeps it."""
    for view in of:
        fold_table(view, EventBatch.from_events(view.event, []))
        fields = fields_of(view.event)
        if fields is not None:
            read_objects(fields, pack([]))
    _write_and_read_nothing()


def _write_and_read_nothing() -> None:
    none, nobody = pack([]), np.zeros(0, np.int64)
    rows = Rows(
        event_id=pack_json([]), value=pack_json([]), entity=pack_json([]), entity_of=nobody, partition=nobody,
        offset=nobody, time=nobody, id_hash=np.zeros(0, np.uint64), depth=np.zeros(0, np.int32),
        level=np.zeros(0, np.uint8), flags=np.zeros(0, np.uint8),
        vectors=np.zeros((0, 4), np.uint8), explained=none, explanation=nobody,
    )  # fmt: skip
    identities, values = write_scores(Template(none, none, none, pack([b""])), rows, nobody)
    records = Records(none, nobody, values, identities, *around([("ce_id", b"")], "ce_id"))
    most_bytes(records, 0)
    write_records(records, 0, np.zeros(0, np.uint8), 0, 0)
    for writable in (True, False):  # the columns of a file are not to be written
        raw, places = np.zeros(1, np.uint8), np.zeros(0, np.int64)
        raw.flags.writeable = places.flags.writeable = writable
        index_of(raw, places, places, hash_texts(raw, places[None], places[None])[0])
    same_texts(none, none.raw, nobody, nobody)
    cut_places(nobody, 0, nobody, 1)
    found = header_values(np.zeros(0, np.uint8), 0, b"ce_id")
    numbers_after(found, 0, 0)
    like_the_one_before(found, 0)
    locate_records(Batches(np.zeros(1, np.uint8), nobody, nobody, nobody, nobody, nobody))
    headers_at(np.zeros(1, np.uint8), 0)
    homes_of(none, 1)
    write_explanations(none, np.zeros((0, 0)), np.zeros((0, 0)), none)
    texts_of(pack([b""]))


def main() -> None:
    """Every kernel, for every view there is."""
    warm_up(views().values())
    mark_complete()


if __name__ == "__main__":
    main()
