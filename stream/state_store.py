"""The state store that the settings describe, opened for whoever is not a worker, its failures in words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scoring.store.address import RedisAddress
from scoring.store.contract import StoreError, StoreUnavailable
from scoring.store.redis import RedisStore
from stream.errors import JobFailed
from stream.settings import Settings


def redis_address(settings: Settings) -> RedisAddress:
    """Where the settings say the state is.

    Raises:
        ValueError: the url does not fit the other settings.
    """
    password = settings.redis_password.get_secret_value() if settings.redis_password else None
    return RedisAddress(
        settings.redis_url,
        user=settings.redis_user,
        password=password,
        ca_file=settings.redis_ca_file,
        cluster=settings.redis_cluster,
    )


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[RedisStore]:
    """The store, open inside the `async with`.

    Raises:
        JobFailed: Redis does not answer, is not fit to keep state, or the settings contradict each other;
            also when that comes to light later, inside.
    """
    try:
        store = RedisStore(redis_address(settings), settings.namespace)
    except ValueError as error:
        raise JobFailed(str(error)) from None
    try:
        await store.open()
        yield store
    except StoreUnavailable as error:
        raise JobFailed(f"{error}; start it (`riskstream up`) or correct RISKSTREAM_REDIS_URL") from None
    except StoreError as error:
        raise JobFailed(str(error)) from None
    finally:
        await store.close()
