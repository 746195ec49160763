"""CloudEvents 1.0 headers of the output records, in Kafka binary mode: the four required attributes."""

from functools import lru_cache
from typing import Literal

Kind = Literal["score", "alert", "dead_letter", "sequenced"]
Header = tuple[str, bytes]

SPEC_VERSION: Header = ("ce_specversion", b"1.0")
TYPES: dict[Kind, Header] = {
    "score": ("ce_type", b"riskstream.score.v1"),
    "alert": ("ce_type", b"riskstream.alert.v1"),
    "dead_letter": ("ce_type", b"riskstream.dead-letter.v1"),
    "sequenced": ("ce_type", b"riskstream.sequenced.v1"),
}


def headers(kind: Kind, identity: str, source: str) -> list[Header]:
    """The four headers of one output record, name and UTF-8 bytes, ready for a Kafka producer.

    Args:
        kind: what the record is.
        identity: `score_id`, `alert_id`, `dead_letter_id`, or the coordinates of a record that is passed on; with
            `source` it names the record once and for all.
        source: where it was made, from `source_of`.

    >>> headers("score", "payment_anomaly:transactions:0:7:9f", source_of("riskstream", "transactions", 0))[3]
    ('ce_type', b'riskstream.score.v1')
    """
    return [SPEC_VERSION, ("ce_id", identity.encode()), _encoded(source), TYPES[kind]]


def source_of(namespace: str, topic: str, partition: int) -> str:
    """The URI reference of the input partition a record was made from.

    >>> source_of("riskstream", "market-ticks", 3)
    '/riskstream/market-ticks/3'
    """
    return f"/{namespace}/{topic}/{partition}"


@lru_cache(maxsize=4_096)
def _encoded(source: str) -> Header:
    # a worker has few sources and many records, so the bytes are made once per source
    return ("ce_source", source.encode())
