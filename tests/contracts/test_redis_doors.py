"""Which Redis is let near the state, and who gets in."""

import asyncio
import shutil
import ssl
from pathlib import Path

import pytest

from scoring.store.address import RedisAddress
from scoring.store.contract import EvictingStore, Partition, StoreRefused
from scoring.store.redis import RedisStore
from stream.services.redis import EmbeddedRedis
from tests.support.cutting_proxy import cutting_proxy
from tests.support.redis_cluster import tell

PAYMENTS = Partition("transactions", 0)


async def opens(address: RedisAddress) -> None:
    """Opens a store there, takes a lease and closes it."""
    store = RedisStore(address, "doors")
    try:
        await store.open()
        await store.acquire(PAYMENTS, partition_count=1)
    finally:
        await store.close()


@pytest.mark.live
@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
async def test_server_that_may_evict_is_refused(redis_server: EmbeddedRedis, policy: str) -> None:
    """State thrown away under load is wrong scores without any error; all our state carries a lifetime."""
    tell(redis_server, f"CONFIG SET maxmemory-policy {policy}")
    try:
        with pytest.raises(EvictingStore, match=rf"{policy}.*noeviction"):
            await opens(RedisAddress(redis_server.url))
    finally:
        tell(redis_server, "CONFIG SET maxmemory-policy noeviction")
    await opens(RedisAddress(redis_server.url))


@pytest.mark.live
async def test_wrong_password_is_refused_without_showing_it(redis_server: EmbeddedRedis) -> None:
    """Errors end up in logs and tickets."""
    tell(redis_server, "ACL SETUSER worker on >right-secret ~* +@all")
    try:
        await opens(RedisAddress(redis_server.url, user="worker", password="right-secret"))
        wrong = RedisAddress(redis_server.url, user="worker", password="wrong-secret")
        with pytest.raises(StoreRefused, match="password") as refusal:
            await opens(wrong)
        assert "secret" not in f"{refusal.value} {refusal.value!r} {wrong} {wrong!r}"
    finally:
        tell(redis_server, "ACL DELUSER worker")


@pytest.mark.live
async def test_missing_right_is_named_by_the_server(redis_server: EmbeddedRedis) -> None:
    """Waiting would not help, so it is no passing failure."""
    tell(redis_server, "ACL SETUSER reader on >pw ~* +@all -evalsha")
    try:
        with pytest.raises(StoreRefused, match="evalsha"):
            await opens(RedisAddress(redis_server.url, user="reader", password="pw"))
    finally:
        tell(redis_server, "ACL DELUSER reader")


@pytest.mark.live
async def test_cluster_and_single_server_are_not_mistaken(
    redis_server: EmbeddedRedis, cluster_servers: list[EmbeddedRedis]
) -> None:
    """One wrong setting would otherwise show as an obscure redirect under load."""
    with pytest.raises(StoreRefused, match="is a Redis Cluster; set RISKSTREAM_REDIS_CLUSTER=true"):
        await opens(RedisAddress(cluster_servers[0].url))
    with pytest.raises(StoreRefused, match="is a single server; set RISKSTREAM_REDIS_CLUSTER=false"):
        await opens(RedisAddress(redis_server.url, cluster=True))


@pytest.mark.live
async def test_tls_needs_a_certificate_of_a_trusted_authority(
    redis_server: EmbeddedRedis, tmp_path: Path
) -> None:
    """The CA file is what lets a private authority in; without it the connection must fail."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the program openssl to make a certificate")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=here -addext subjectAltName=IP:127.0.0.1"
    )
    making = await asyncio.create_subprocess_exec(
        *make.split(), "-keyout", str(key), "-out", str(certificate), stderr=asyncio.subprocess.DEVNULL
    )
    assert await making.wait() == 0
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    async with cutting_proxy(redis_server.port, tls=tls) as proxy:
        url = f"rediss://127.0.0.1:{proxy.port}/0"
        await opens(RedisAddress(url, ca_file=certificate))
        with pytest.raises(StoreRefused, match=r"certificate verify failed.*redis_ca_file"):
            await opens(RedisAddress(url))


@pytest.mark.parametrize(
    ("url", "given", "named"),
    [
        ("http://127.0.0.1", {}, "redis://host:port"),
        ("redis://", {}, "redis://host:port"),
        ("redis://user:secret@127.0.0.1", {}, "holds credentials"),
        ("redis://127.0.0.1:6379/first", {}, "database 'first'"),
        ("redis://127.0.0.1", {"ca_file": Path("ca.pem")}, "use rediss://"),
        ("redis://127.0.0.1/1", {"cluster": True}, "only database 0"),
    ],
)
def test_address_that_cannot_be_meant_is_refused(url: str, given: dict[str, object], named: str) -> None:
    """Before any connection, and without repeating a password."""
    with pytest.raises(ValueError, match=named) as refusal:
        RedisAddress(url, **given)  # type: ignore[arg-type]
    assert "secret" not in str(refusal.value)
