"""What a replay is asked to do, and what it says it did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from schemas.event import EventType
from scoring.files.mapping import Mapping as FileMapping
from scoring.scorer import Scorer
from stream.replay.compare import Difference


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to replay.

    Attributes:
        files: files to read with `mapping`; or
        topic: a topic to read, its records between `from_ms` and `to_ms` (broker time) scored, earlier ones folded.
        scorers: what scores.
        bundle: a folder to use instead of the bundles at hand or recorded.
        shards: on how many cores the entities of files are shared out.
        against: served scores to compare with: a Parquet file, or the topic `risk-scores`.
    """

    event_type: EventType
    scorers: Mapping[str, Scorer]
    files: tuple[Path, ...] = ()
    mapping: FileMapping | None = None
    topic: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    limit: int | None = None
    bundle: Path | None = None
    out: Path | None = None
    against: str | None = None
    shards: int = 1


@dataclass
class Summary:
    """What a replay did."""

    events: int = 0
    scores: int = 0
    alerts: int = 0
    dead_letters: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    events_per_second: float = 0.0
    verdict: str | None = None
    difference: Difference | None = None

    def refuse(self, reason: str) -> None:
        """Counts a record or row that was no event."""
        self.refused[reason] = self.refused.get(reason, 0) + 1
