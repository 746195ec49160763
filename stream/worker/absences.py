"""Which of the services that a worker needs do not answer, said when it begins and when it ends."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

ANSWER_WITHIN_S = 2.0
log = structlog.get_logger("riskstream.worker")


class Absences:
    """The services that are away, by name."""

    def __init__(self) -> None:
        self._problems: dict[str, str] = {}

    def note(self, name: str, address: str, *, answered: bool) -> None:
        """Takes in whether a service has just answered; a change is logged."""
        if not answered and name not in self._problems:
            self._problems[name] = f"waiting for {name}: {address} does not answer"
            log.warning(self._problems[name])
        elif answered and self._problems.pop(name, ""):
            log.info(f"{name} answers again")

    def problems(self) -> list[str]:
        """What to say of them; empty when none is away."""
        return list(self._problems.values())


async def answers(question: Callable[[], Awaitable[object]]) -> bool:
    """Whether a question to a service is answered in time and without an error."""
    try:
        await asyncio.wait_for(question(), ANSWER_WITHIN_S)
    except Exception:  # however it fails, it is no answer
        return False
    return True
