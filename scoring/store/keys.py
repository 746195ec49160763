"""Names of the keys in the store; the part in braces puts one input partition into one Redis Cluster slot."""

from scoring.store.contract import Partition

DIGEST_LENGTH = 12


def hash_tag(namespace: str, partition: Partition) -> str:
    """The part that decides the cluster slot, braces included.

    >>> hash_tag("riskstream", Partition("transactions", 3))
    '{riskstream:transactions-3}'
    """
    return f"{{{namespace}:{partition}}}"


def control_key(namespace: str, partition: Partition) -> str:
    """Key of the partition's record: token, offsets, outputs, notes. It never expires.

    >>> control_key("riskstream", Partition("transactions", 3))
    'ctl:{riskstream:transactions-3}'
    """
    return f"ctl:{hash_tag(namespace, partition)}"


def state_prefix(namespace: str, partition: Partition, view: str, digest: str) -> str:
    """What the keys of one view's states begin with: add the entity. Made once a poll, not once a key.

    >>> state_prefix("riskstream", Partition("transactions", 3), "account_activity", "0123456789abcdef")
    's:{riskstream:transactions-3}:account_activity@0123456789ab:'
    """
    return f"s:{hash_tag(namespace, partition)}:{view}@{digest[:DIGEST_LENGTH]}:"


def state_key(namespace: str, partition: Partition, view: str, digest: str, entity: str) -> str:
    """Key of the packed state of one entity in one view.

    >>> state_key("riskstream", Partition("ticks", 0), "symbol_activity", "0123456789abcdef", "MSFT")
    's:{riskstream:ticks-0}:symbol_activity@0123456789ab:MSFT'
    """
    return state_prefix(namespace, partition, view, digest) + entity


def alert_prefix(namespace: str, partition: Partition, scorer: str) -> str:
    """What the keys of one scorer's alert states begin with: add the entity. Made once a poll, not once a key.

    >>> alert_prefix("riskstream", Partition("ticks", 0), "tick_anomaly")
    'a:{riskstream:ticks-0}:tick_anomaly:'
    """
    return f"a:{hash_tag(namespace, partition)}:{scorer}:"


def alert_key(namespace: str, partition: Partition, scorer: str, entity: str) -> str:
    """Key of the alert state (cool-downs) of one entity in one scorer.

    >>> alert_key("riskstream", Partition("ticks", 0), "tick_anomaly", "MSFT")
    'a:{riskstream:ticks-0}:tick_anomaly:MSFT'
    """
    return alert_prefix(namespace, partition, scorer) + entity


def entity_of(key: str) -> str:
    """The entity a state or alert key belongs to; entities may hold colons and braces, the rest cannot.

    >>> entity_of("s:{riskstream:ticks-0}:symbol_activity@0123456789ab:BRK:B")
    'BRK:B'
    """
    return key.partition("}:")[2].partition(":")[2]
