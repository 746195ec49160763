"""The Redis servers behind an address, each with a client of its own: one, or all of a cluster."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from redis import Redis, RedisCluster


@contextmanager
def redis_servers(redis_url: str) -> Iterator[list[Redis]]:
    """Clients of every server that has keys; closed at the end."""
    with ExitStack() as stack:
        first = stack.enter_context(Redis.from_url(redis_url))
        if not first.info("cluster")["cluster_enabled"]:
            yield [first]
            return
        cluster = stack.enter_context(RedisCluster.from_url(redis_url))
        addresses = [(node.host, node.port) for node in cluster.get_primaries()]
        yield [stack.enter_context(Redis(host, port)) for host, port in addresses]


@contextmanager
def server_of(redis_url: str, key: str) -> Iterator[Redis]:
    """A client of the server that has the key."""
    with redis_servers(redis_url) as servers:
        yield next(server for server in servers if key.encode() in server.scan_iter(match=_literal(key)))


def _literal(key: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?[]\\" else letter for letter in key)
