"""Where a running demo stands; written by the run, read by the screen."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from scoring.clock import stopwatch_s
from stream.demo.ledger import Ledger
from stream.printable import moment

RATE_OVER_S = 1.0
DEMO_TITLE = "real payments and prices through a real Kafka and Redis"


@dataclass(eq=False)
class DemoState:
    """What the screen shows.

    Attributes:
        topics: input topics, in the order they are shown.
        planned: events to feed in all; events_per_second: rate of the steady phase.
        title: what is shown, a line for people.
        fed: events that the broker acknowledged, by topic.
        phase: what goes on, in words; done: whether all is over.
        first_alert_s: seconds from the services being ready to the first alert.
    """

    ledger: Ledger
    topics: Sequence[str]
    planned: int
    events_per_second: float
    title: str = DEMO_TITLE
    fed: Counter[str] = field(default_factory=Counter)
    phase: str = ""
    done: bool = False
    ready_at_s: float | None = None
    first_alert_s: float | None = None
    began_at_s: float = field(default_factory=stopwatch_s)
    _ended_at_s: float | None = None
    _fed_at: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=500))

    @property
    def seconds(self) -> float:
        """Seconds since the beginning; stands still once done."""
        return (self._ended_at_s or stopwatch_s()) - self.began_at_s

    @property
    def fed_events(self) -> int:
        """Events that the broker acknowledged."""
        return self.fed.total()

    def acknowledged(self, topic: str, count: int) -> None:
        """Notes that the broker took so many events more."""
        self.fed[topic] += count
        self._fed_at.append((stopwatch_s(), self.fed_events))

    def services_ready(self) -> None:
        """Notes that Kafka and Redis do their work from now on."""
        self.ready_at_s = stopwatch_s()

    def note_first_alert(self) -> None:
        """Notes the time of the first alert once there is one."""
        if self.first_alert_s is None and self.ledger.alerts and self.ready_at_s is not None:
            self.first_alert_s = stopwatch_s() - self.ready_at_s

    def end(self, phase: str) -> None:
        """Stops the clock."""
        self.phase, self.done, self._ended_at_s = phase, True, stopwatch_s()

    def rate(self) -> float:
        """Acknowledged events per second over the last second; 0.0 when nothing comes or all is over."""
        now_s = stopwatch_s()
        recent = [entry for entry in list(self._fed_at) if now_s - entry[0] <= RATE_OVER_S]
        if self.done or len(recent) < 2:
            return 0.0
        (first_s, first), (_, last) = recent[0], recent[-1]
        return (last - first) / max(now_s - first_s, 0.1)


def day_of(occurred_at_ms: int | None) -> str:
    """The day of an event time, in UTC.

    >>> day_of(1_322_000_000_000)
    '2011-11-22'
    """
    return "–" if occurred_at_ms is None else moment(occurred_at_ms)[:10]
