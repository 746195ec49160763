"""One input partition as a worker or a replay sees it: lease, cache of states, what is in force, what is already out."""

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, filterfalse, islice, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine import InForce
from scoring.features.spec import FeatureView
from scoring.records import RecordReader
from scoring.sequence import SequenceReader, SequenceWriter
from scoring.store.contract import Lease, Partition, StateStore
from scoring.store.keys import alert_key, alert_prefix, state_prefix

REFUSAL_WINDOW = 1_000

_exhaust = deque[Any](maxlen=0).extend


class StateCache:
    """The packed states of a partition's entities, as of the last fold; bounded, least recently used out first.

    Entries of polls that are not yet committed are pinned: the store does not have them. What the store is known to
    have nothing under is kept as well, up to four such keys for each state.

    Attributes:
        most: states to keep.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: dict[str, bytes] = {}
        self._absent: dict[str, None] = {}
        self._pinned: list[Collection[str]] = []

    def __len__(self) -> int:
        return len(self._kept)

    def lacking(self, keys: Iterable[str]) -> list[str]:
        """Those that must be read from the store first."""
        unkept = filterfalse(self._kept.__contains__, keys)
        return list(filterfalse(self._absent.__contains__, unkept))

    def get(self, key: str) -> bytes | None:
        """The value, now the newest; None when the store has none either.

        Raises:
            KeyError: it must be read from the store first.
        """
        value = self._kept.pop(key, None)
        if value is None:
            return self._absent[key]
        self._kept[key] = value
        return value

    def look_up(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values, which grow no newer by that: what is folded onto them is put in their place.

        Raises:
            KeyError: one must be read from the store first.
        """
        found = list(map(self._kept.get, keys))
        if None in found:
            found = [self._absent[key] if value is None else value for key, value in zip(keys, found, strict=True)]
        return found

    def put(self, key: str, value: bytes | None) -> None:
        """Keeps a value as the newest."""
        if value is None:
            self._absent[key] = None
        else:
            self.put_all([key], [value])

    def put_all(self, keys: Sequence[str], values: Sequence[bytes]) -> None:
        """Keeps values as the newest."""
        # without a loop of Python's own: a poll has thousands
        _exhaust(map(self._kept.pop, keys, repeat(None)))
        _exhaust(map(self._absent.pop, keys, repeat(None)))
        self._kept.update(zip(keys, values, strict=True))

    def pin(self, keys: Collection[str]) -> None:
        """Keeps these until `unpin`, as often as they were pinned."""
        self._pinned.append(keys)

    def unpin(self, keys: Collection[str]) -> None:
        """Lets these go again, which were pinned together."""
        self._pinned.remove(keys)

    def trim(self) -> None:
        """Drops the least recently used that are not pinned, down to the bound; never within a poll."""
        over = len(self._kept) - self.most
        if over > 0:
            pinned = set(chain.from_iterable(self._pinned))
            for key in list(islice((key for key in self._kept if key not in pinned), over)):
                del self._kept[key]
        for key in list(islice(self._absent, max(0, len(self._absent) - 4 * self.most))):
            del self._absent[key]


class Emitted:
    """Which terminal records and alerts of a partition are already in the output topics, from an offset on.

    One bit per input offset, scorer and kind: a rebuild over millions of records stays small.
    """

    def __init__(self, base: int) -> None:
        self.base = base
        self.highest = -1
        self._bits: dict[tuple[str, str], bytearray] = {}

    def add(self, kind: str, scorer: str, offsets: NDArray[np.int64]) -> None:
        """Notes records that are out, int64[n]; `scorer` is empty for a dead letter of all scorers."""
        places = offsets[offsets >= self.base] - self.base
        if not len(places):
            return
        last = int(places.max())
        bits = self._bits.setdefault((kind, scorer), bytearray())
        if len(bits) <= last >> 3:
            bits.extend(bytes((last >> 3) + 1024 - len(bits)))
        bytes_of = np.frombuffer(bits, np.uint8)
        np.bitwise_or.at(bytes_of, places >> 3, np.left_shift(1, places & 7).astype(np.uint8))
        self.highest = max(self.highest, self.base + last)

    def has(self, kind: str, scorer: str, offset: int) -> bool:
        """Whether that record is out; a dead letter of all scorers stands for every scorer's terminal."""
        return bool(self.which(kind, scorer, np.array([offset]))[0])

    def which(self, kind: str, scorer: str, offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
        """`has` of many offsets, bool[n]."""
        found = self._bits_at(kind, scorer, offsets)
        return found | self._bits_at(kind, "", offsets) if kind == "terminal" else found

    def __bool__(self) -> bool:
        return bool(self._bits)

    def _bits_at(self, kind: str, scorer: str, offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
        bits = self._bits.get((kind, scorer))
        if bits is None:
            return np.zeros(len(offsets), np.bool_)
        places = offsets - self.base
        within = (places >= 0) & (places >> 3 < len(bits))
        packed = np.frombuffer(bits, np.uint8)[np.where(within, places >> 3, 0)]
        found: NDArray[np.bool_] = within & ((packed >> (places & 7).astype(np.uint8)) & 1).astype(np.bool_)
        return found


@dataclass(eq=False, repr=False)
class PartitionState:
    """A partition under lease. Prints nothing of what it holds: entities are personal data.

    Attributes:
        next_offset: where the fold goes on; ahead of the lease's offset by the polls in flight.
        in_force: what scores each offset on, per scorer, by activation: `(from_offset, InForce or None)` ascending;
            None folds without scoring.
        committed: per view digest, the offset its state is at, in flight included; None for no state yet.
        refused: whether each of the last records was refused.
        passes_on: to which internal topics its events go.
        emitted_from: of an internal topic, what is already out of each origin partition.
        log_end: where the log ended when the partition was taken over.
    """

    partition: Partition
    partition_count: int
    lease: Lease
    views: Sequence[FeatureView]
    reader: RecordReader | SequenceReader
    namespace: str
    cache: StateCache
    emitted: Emitted
    next_offset: int
    in_force: dict[str, list[tuple[int, InForce | None]]] = field(default_factory=dict)
    new_notes: dict[str, str] = field(default_factory=dict)
    refused: deque[bool] = field(default_factory=lambda: deque(maxlen=REFUSAL_WINDOW))
    paused_at_ms: int = 0
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    committed: dict[str, int | None] = field(default_factory=dict)
    passes_on: Sequence[SequenceWriter] = ()
    emitted_from: dict[Partition, Emitted] = field(default_factory=dict)
    log_end: int = 0

    def emitted_of(self, origin: Partition) -> Emitted:
        """What is already out about records of that partition: its own, or one whose events were passed on to it."""
        if origin == self.partition:
            return self.emitted
        found = self.emitted_from.get(origin)
        return self.emitted_from.setdefault(origin, Emitted(0)) if found is None else found

    @property
    def caught_up(self) -> bool:
        """False while records are folded again whose outputs were already written."""
        return self.next_offset > self.emitted.highest

    @property
    def first_unwritten(self) -> int:
        """The first offset from `next_offset` on of which no output can be there: a change takes effect from it."""
        return max(self.next_offset, self.emitted.highest + 1)

    def scorers_at(self, offset: int) -> list[InForce]:
        """What scores the record at this offset."""
        found = []
        for activations in self.in_force.values():
            current = None
            for from_offset, in_force in activations:
                if from_offset <= offset:
                    current = in_force
            if current is not None:
                found.append(current)
        return found

    def boundaries(self) -> list[int]:
        """Offsets at which what is in force changes."""
        starts = {start for activations in self.in_force.values() for start, _ in activations}
        return sorted(starts | {offset for offset in self.committed.values() if offset is not None})

    def views_at(self, offset: int) -> list[FeatureView]:
        """The views that fold the record at this offset: those whose state has not passed it."""
        return [view for view in self.views if (self.committed.get(view.digest) or 0) <= offset]

    def state_prefix(self, view: FeatureView) -> str:
        """What a view's state keys begin with."""
        return state_prefix(self.namespace, self.partition, view.name, view.digest)

    def alert_prefix(self, scorer: str) -> str:
        """What a scorer's alert state keys begin with."""
        return alert_prefix(self.namespace, self.partition, scorer)

    def alert_key(self, scorer: str, entity: str) -> str:
        """Key of the alert state of an entity."""
        return alert_key(self.namespace, self.partition, scorer, entity)

    def in_flight(self) -> bool:
        """Whether the fold is ahead of the lease."""
        return any(self.lease.offsets.get(digest) != offset for digest, offset in self.committed.items())

    async def fill_cache(self, store: StateStore, keys: Iterable[str]) -> None:
        """Reads what the cache lacks of these keys, fenced.

        Raises:
            LeaseLost: somebody else holds the partition.
        """
        missing = self.cache.lacking(keys)
        if missing:
            async with self.busy:  # a commit in flight would move the offsets that the read is fenced by
                values = await store.read(self.lease, missing)
            for key, value in zip(missing, values, strict=True):
                self.cache.put(key, value)

    def note_refusals(self, outcomes: Sequence[bool], share: float) -> bool:
        """Takes in whether records were refused, in order; True when more than `share` of the window was at any of them.

        The window must be full: a few bad records at the start do not stop a partition.
        """
        within = sum(self.refused)
        if not within and not any(outcomes):
            self.refused.extend(outcomes[-REFUSAL_WINDOW:])
            return False
        too_many = False
        for refused in outcomes:
            if len(self.refused) == REFUSAL_WINDOW:
                within -= self.refused[0]
            self.refused.append(refused)
            within += refused
            too_many |= len(self.refused) == REFUSAL_WINDOW and within > share * REFUSAL_WINDOW
        return too_many
