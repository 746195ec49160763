"""Rows with the same columns several times over, one per month, become one row per month."""

from collections.abc import Sequence

import msgspec
import polars as pl

from scoring.files.errors import BadMapping
from scoring.files.sources import ROW

SUFFIX = "__suffix"


class Repeat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row with groups of columns, such as `bill_1` to `bill_6`, becomes one row per group; the others stay on each.

    Attributes:
        columns: new name of each repeated column, and what it is called in the file with `{}` for the place.
        places: what stands for `{}`, in the order the new rows come in, each with its value in the new column `name`.
        name: the new column, often the time: the date of each group.
        label_at: the place whose row carries the label, which is unknown on the others; unset: all carry it.
    """

    columns: dict[str, str]
    places: dict[str, str]
    name: str = "place"
    label_at: str | None = None

    def sources(self) -> dict[tuple[str, str], str]:
        """The file's column of every new column and place."""
        return {
            (name, place): pattern.replace("{}", place)
            for name, pattern in self.columns.items()
            for place in self.places
        }

    def needed(self, wanted: set[str], available: Sequence[str], source: str) -> set[str]:
        """The columns of the file that are needed when `wanted` are, the new ones among them.

        Raises:
            BadMapping: a new column has the name of one of the file.
        """
        new, sources = {self.name, *self.columns}, set(self.sources().values())
        taken = sorted(new & (set(available) - sources))
        if taken:
            raise BadMapping(f"{source}: repeat makes {taken[0]!r}, which is a column of the file; take another name")
        return (wanted - new) | sources

    def check(self, mapping: str, *, alone: bool) -> None:
        """Nothing, when it can be done.

        Args:
            mapping: its name; alone: whether the mapping neither melts nor groups.

        Raises:
            BadMapping: columns without exactly one `{}`, no places, an unknown `label_at`, or beside melt or group.
        """
        if not alone:
            raise BadMapping(f"mapping {mapping}: repeat goes with neither melt nor group; keep one of them")
        without = [name for name, pattern in self.columns.items() if pattern.count("{}") != 1]
        if without or not self.columns or not self.places:
            raise BadMapping(
                f"mapping {mapping}: repeat needs places, and columns with one {{}} each, such as bill = 'bill_{{}}'"
            )
        if self.label_at is not None and self.label_at not in self.places:
            raise BadMapping(
                f"mapping {mapping}: label_at {self.label_at!r} is none of the places {', '.join(self.places)}"
            )


def repeated(frame: pl.DataFrame, repeat: Repeat) -> pl.DataFrame:
    """One row per place of each row, in the order of the places, with the place as `__suffix`."""
    stay = [name for name in frame.columns if name not in repeat.sources().values()]
    parts = [
        frame.select(
            *stay,
            *(pl.col(repeat.sources()[name, place]).alias(name) for name in repeat.columns),
            pl.lit(value).alias(repeat.name),
            pl.lit(place).alias(SUFFIX),
        )
        for place, value in repeat.places.items()
    ]
    return pl.concat(parts, how="vertical_relaxed").sort(ROW, maintain_order=True)
