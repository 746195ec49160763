"""`riskstream worker` with crash points: the only way to have them is to start this module.

`TORTURE_POINT` names the point, `TORTURE_COUNT` how often it is passed first, `TORTURE_DO` what happens there: `kill`
ends the process as `kill -9` does, `raise` raises an error that nobody expects, `hang` never comes back.
"""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import stream.worker.pipeline as pipeline
from scoring.poll import Poller
from scoring.store.redis import RedisStore
from stream.cli import main
from stream.worker.activation_log import ActivationLog
from stream.worker.leasing import Leasing

BEFORE_AND_AFTER: dict[str, tuple[Any, str]] = {
    "read": (Poller, "_read"),
    "score": (Poller, "prepare"),
    "produce": (pipeline, "send"),
    "acks": (pipeline, "acknowledged"),
    "commit": (RedisStore, "commit"),
    "acquire": (Leasing, "acquire"),
    "activation": (ActivationLog, "write"),
}
POINTS = [f"{when}_{what}" for what in BEFORE_AND_AFTER for when in ("before", "after")]


class Injected(Exception):
    """An error that nothing in riskstream knows."""


def arm(point: str, count: int, do: str) -> None:
    """Lets it happen at a point, when it has been passed `count` times."""
    when, _, what = point.partition("_")
    home, name = BEFORE_AND_AFTER[what]
    real: Callable[..., Any] = getattr(home, name)
    left = count

    def strike() -> None:
        nonlocal left
        left -= 1
        if left == -1:
            if do == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if do == "hang":
                time.sleep(3_600)
            raise Injected(point)

    async def armed(*arguments: Any, **named: Any) -> Any:
        if when == "before":
            strike()
        result = await real(*arguments, **named)
        if when == "after":
            strike()
        return result

    setattr(home, name, armed)


if __name__ == "__main__":
    if os.environ.get("TORTURE_POINT"):
        arm(os.environ["TORTURE_POINT"], int(os.environ["TORTURE_COUNT"]), os.environ["TORTURE_DO"])
    main()
