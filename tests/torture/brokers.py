"""Brokers of a run: one behind a proxy, or three that hold copies of each other's partitions."""

from pathlib import Path

from stream.services.kafka import EmbeddedKafka, new_cluster_id
from stream.services.ports import LOOPBACK, free_ports

COPIES = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    # whose leader is gone is led by a copy at once, and by the old one only when somebody asks for it
    "leader.imbalance.check.interval.seconds": "5",
}


def broker_behind(folder: Path, *, port: int, proxy_port: int) -> EmbeddedKafka:
    """A broker that tells clients to come through the proxy."""
    return EmbeddedKafka(
        folder, port=port, extra={"advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{proxy_port}"}
    )


def three_brokers(folder: Path) -> list[EmbeddedKafka]:
    """Brokers and controllers of one cluster; two copies of three must have a record before it is acknowledged."""
    ports, controllers, cluster_id = free_ports(3), free_ports(3), new_cluster_id()
    voters = ",".join(f"{number + 1}@{LOOPBACK}:{port}" for number, port in enumerate(controllers))
    return [
        EmbeddedKafka(
            folder / str(number + 1),
            port=ports[number],
            heap_mb=256,
            cluster_id=cluster_id,
            extra=COPIES
            | {
                "node.id": str(number + 1),
                "controller.quorum.voters": voters,
                "listeners": f"PLAINTEXT://{LOOPBACK}:{ports[number]},CONTROLLER://{LOOPBACK}:{controllers[number]}",
            },
        )
        for number in range(3)
    ]
