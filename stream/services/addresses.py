"""Where `riskstream up` keeps the addresses of the running services."""

import json
from pathlib import Path

FILE = "services.json"


def stored_addresses(data_dir: Path) -> dict[str, str]:
    """`kafka_bootstrap` and `redis_url` of the services started with this folder; empty when there are none."""
    try:
        stored = json.loads((data_dir / FILE).read_text())
    except (OSError, json.JSONDecodeError):
        return {}
    return {name: stored[name] for name in ("kafka_bootstrap", "redis_url") if name in stored}
