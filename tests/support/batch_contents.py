"""What is in a batch of events, to be compared bit for bit."""

from typing import Any

from scoring.features.batch import EventBatch, json_of


def contents(batch: EventBatch) -> dict[str, Any]:
    """Every column: names, and the bytes of arrays."""
    ids = json_of(batch.event_ids)
    return {
        "entities": batch.entities,
        "entity": batch.entity.tolist(),
        "times": batch.occurred_at_ms.tolist(),
        "event_ids": list(batch.event_ids),
        "json": [ids.one(row) for row in range(len(batch))],
        "id_hash": batch.id_hash.tolist(),
        "body_hash": batch.body_hash.tolist(),
        "numbers": {name: column.tobytes() for name, column in batch.numbers.items()},
        "texts": {name: column.tolist() for name, column in batch.texts.items()},
    }
