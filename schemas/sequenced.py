"""A record of an internal topic: an event passed on to another of its entities, with what was seen of the first."""

import msgspec

from schemas.score import Flag
from schemas.source import Source


class Sequenced(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What goes before the event in a record of an internal topic; the structs of such topics add the field `event`.

    The order of its partitions is the truth for views of the second entity: replay and verification read it. A worker
    that went back writes records again; of an origin partition, a reader drops what is not past the highest offset.

    Attributes:
        origin: coordinates of the input record.
        view: digest of the feature view that made the features.
        features: base64 of the little-endian float32 feature vector of the first entity; NaN is missing.
        depth: how many earlier events of the first entity the features could see.
        flags: as on a score, of the first entity.
    """

    origin: Source
    view: str
    features: str
    depth: int
    flags: tuple[Flag, ...] = ()
