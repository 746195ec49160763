"""Scores as columns: what a replay writes, and what served scores are read into for comparison."""

import base64
from collections.abc import Iterable

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from schemas.score import Score
from scoring.engine import Verdicts, alert_rows
from scoring.features.frame import SeriesTexts
from scoring.features.table import FeatureTable
from scoring.policy import LEVELS
from scoring.publish import FLAGS, flag_codes, flags_in

SCHEMA: dict[str, pl.DataType] = {
    "scorer": pl.String(),
    "entity": pl.String(),
    "event_id": pl.String(),
    "occurred_at_ms": pl.Int64(),
    "value": pl.Float64(),
    "level": pl.String(),
    "flags": pl.String(),
    "depth": pl.Int32(),
    "reasons": pl.String(),
    "held_back": pl.Boolean(),
    "shadow": pl.Boolean(),
    "features": pl.Binary(),
    "bundle": pl.String(),
    "policy": pl.String(),
    "view": pl.String(),
    "outputs": pl.String(),
}
"""Columns of a file of scores; `flags` and `reasons` are joined by commas, `features` are little-endian float32, and
`outputs` are the named ones as JSON, empty without any."""

REPEATED = ["scorer", "entity", "level", "flags", "reasons", "bundle", "policy", "view"]
"""The columns whose values come again and again."""

_encode = msgspec.json.Encoder().encode
_FLAG_TEXTS = [",".join(flags_in(code)) for code in range(1 << len(FLAGS))]


def score_frame(table: FeatureTable, verdicts: Verdicts, rows: NDArray[np.intp]) -> pl.DataFrame:
    """Rows of a table that one scorer has scored, int64[m]; coordinates are left out, a replay has others."""
    view = verdicts.in_force.scorer.view
    flags = flag_codes(table, view.warm_after)
    height = len(rows)
    held = np.zeros(len(table.batch), bool)
    held[list(verdicts.suppressed_by)] = True
    if height < len(table.batch):
        places, ids, vectors = table.entity[rows], _event_ids(table).gather(rows), table.vectors[rows]
    else:  # nearly always, and then nothing has to be copied
        places, ids, vectors = table.entity, _event_ids(table), table.vectors
    columns = {
        "scorer": pl.Series([verdicts.in_force.name], dtype=pl.String).new_from_index(0, height),
        "entity": pl.Series(table.entities, dtype=pl.String).gather(places),
        "event_id": ids,
        "occurred_at_ms": table.occurred_at_ms[rows],
        "value": verdicts.values[rows],
        "level": pl.Series(LEVELS, dtype=pl.String).gather(verdicts.levels[rows].astype(np.uint32)),
        "flags": pl.Series(_FLAG_TEXTS, dtype=pl.String).gather(flags[rows].astype(np.uint32)),
        "depth": table.depth[rows],
        "reasons": _reasons(verdicts)[rows],
        "held_back": held[rows],
        "shadow": pl.Series([not verdicts.in_force.live]).new_from_index(0, height),
        "features": _packed(vectors),
        "bundle": pl.Series([verdicts.in_force.bundle.digest], dtype=pl.String).new_from_index(0, height),
        "policy": pl.Series([verdicts.in_force.policy.digest], dtype=pl.String).new_from_index(0, height),
        "view": pl.Series([view.digest], dtype=pl.String).new_from_index(0, height),
        "outputs": _outputs(verdicts, rows),
    }
    return pl.DataFrame(columns, schema=SCHEMA)


def _event_ids(table: FeatureTable) -> pl.Series:
    ids = table.event_ids
    return ids.series if isinstance(ids, SeriesTexts) else pl.Series(list(ids), dtype=pl.String)


def _reasons(verdicts: Verdicts) -> pl.Series:
    """The reasons of each row, most of which have none."""
    texts = [""]
    which = np.zeros(len(verdicts.values), np.uint32)
    for row, explanation in verdicts.explanations.items():
        which[row] = len(texts)
        texts.append(",".join(explanation.reasons))
    return pl.Series(texts, dtype=pl.String).gather(which)


def _outputs(verdicts: Verdicts, rows: NDArray[np.intp]) -> pl.Series:
    """The named outputs of each row as JSON; of most scorers there are none."""
    if verdicts.outputs is None:
        return pl.Series([""], dtype=pl.String).new_from_index(0, len(rows))
    return pl.Series([_encode(verdicts.named_outputs(row)).decode() for row in rows.tolist()], dtype=pl.String)


def _packed(vectors: NDArray[np.float32]) -> pl.Series:
    """The bytes of each row, without an object per row."""
    n, width = len(vectors), 4 * vectors.shape[1]
    ends = pa.py_buffer(np.arange(n + 1) * width)
    raw = pa.py_buffer(np.ascontiguousarray(vectors, "<f4"))
    found = pl.from_arrow(pa.LargeBinaryArray.from_buffers(pa.large_binary(), n, [None, ends, raw]))
    assert isinstance(found, pl.Series)
    return found


def served_frame(scores: Iterable[Score]) -> pl.DataFrame:
    """Published scores in the same columns."""
    rows = [
        (
            score.scorer, score.entity, score.event_id, score.occurred_at_ms, score.value, score.level,
            ",".join(score.flags), score.depth, ",".join(score.reasons), score.suppressed_by is not None, score.shadow,
            base64.b64decode(score.features), score.bundle, score.policy, score.view,
            _encode(score.outputs).decode() if score.outputs else "",
        )
        for score in scores
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def raised_alerts(verdicts: Verdicts) -> int:
    """How many alerts a scorer raised, those held back not counted."""
    return len(alert_rows(verdicts)) - len(verdicts.suppressed_by)
