"""When the labels of typed rows became known, and which of them cannot be labels."""

from collections.abc import Iterator

import msgspec
import polars as pl

from schemas.codec import Refused, check_time
from schemas.dead_letter import Reason
from scoring.files.layout import LABEL, LABEL_KNOWN, LABEL_WRONG
from scoring.files.mapping import TIME, Mapping
from scoring.files.rules import plausible
from scoring.files.sources import ROW
from scoring.files.times import milliseconds

KNOWN_AT = "__known_at"
_SAID_AT = "__label_said_at"


def with_known_at(table: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """The rows with `__known_at`: when each label became known, null where it is not, or cannot be one.

    Without labels the table comes back as it is.

    Raises:
        BadMapping: the column `label_known` cannot hold times.
    """
    if LABEL not in table.columns:
        return table
    said = _said_at(table, mapping)
    fits = plausible(said) & (said >= pl.col(TIME))
    known = pl.when(pl.col(LABEL).is_not_null() & fits).then(said)
    return table.with_columns(known.alias(KNOWN_AT), said.alias(_SAID_AT))


def wrong_labels(table: pl.DataFrame, mapping: Mapping) -> Iterator[tuple[int, Refused]]:
    """Row and reason of each label that is none, of rows that came through `with_known_at`."""
    there, said = pl.col(LABEL).is_not_null(), pl.col(_SAID_AT)
    untimely = there & pl.col(KNOWN_AT).is_null() & said.is_not_null()
    unread = there & pl.col(LABEL_KNOWN).is_not_null() & said.is_null() if mapping.label_known else pl.lit(False)
    for row in table.filter(pl.col(LABEL_WRONG) | untimely | unread).iter_rows(named=True):
        yield row[ROW], _refusal(row, mapping)


def _said_at(table: pl.DataFrame, mapping: Mapping) -> pl.Expr:
    """The time given for the label, or the event's plus the delay; unchecked."""
    later = pl.col(TIME) + mapping.label_delay_ms
    if mapping.label_known is None:
        return later
    time = msgspec.structs.replace(mapping.time, column=mapping.label_known, shift="0s")
    given = milliseconds(LABEL_KNOWN, table.schema[LABEL_KNOWN], msgspec.structs.replace(mapping, time=time))
    silent = later if mapping.label_delay_ms else pl.lit(None, pl.Int64())
    return pl.when(pl.col(LABEL_KNOWN).is_not_null()).then(given).otherwise(silent)


def _refusal(row: dict[str, object], mapping: Mapping) -> Refused:
    if row[LABEL_WRONG]:
        return Refused(Reason.WRONG_TYPE, "$.label", f"expected a number, true or false (from {mapping.label})")
    source = f"(from {mapping.label_known})" if mapping.label_known else "(from label_delay)"
    said, occurred = row[_SAID_AT], row[TIME]
    if not isinstance(said, int) or not isinstance(occurred, int):
        return Refused(Reason.WRONG_TYPE, "$.known_at_ms", f"expected a time {source}")
    try:
        check_time(said)
    except Refused as refused:
        return Refused(refused.reason, "$.known_at_ms", f"{refused.detail} {source}")
    detail = f"expected no time before the event, was {occurred - said} ms earlier {source}"
    return Refused(Reason.OUT_OF_RANGE, "$.known_at_ms", detail)
