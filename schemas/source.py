"""Where a record came from: the coordinates that make outputs traceable and identities deterministic."""

import msgspec


class Source(msgspec.Struct, frozen=True, gc=False):
    """Coordinates of one input record: topic, partition and offset."""

    topic: str
    partition: int
    offset: int
