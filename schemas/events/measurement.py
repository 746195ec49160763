"""A reading of a series: messages per minute, latency, failed logins, order flow, the balance of a queue."""

import msgspec

from schemas.event import Amount, EventType, Id, OccurredAt


class Measurement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a series measured at a time; `value` in the series' own unit, of any sign."""

    event_id: Id
    occurred_at_ms: OccurredAt
    series_id: Id
    value: Amount


EVENT = EventType(struct=Measurement, topic="measurements", key="series_id")
