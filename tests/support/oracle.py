"""The fold once more, in plain Python: keeps every accepted event and looks at all of them for each new one.

Words: the *memory* at an event are the accepted events newer than `newest time - horizon - grace`; the *ring*
are the newest N of the memory by (time, arrival); *in order* is an event not older than any accepted one
before.
"""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from schemas.as_of import question_struct
from scoring.features.spec import Count, Difference, FeatureView, LogReturn, RecentMean
from tests.support.calendar_spans import begin_of_span, ends_between
from tests.support.definitions import Accepted, Moment, log_of_ratio, mean, value_of

SCORED, DUPLICATE, CONFLICT = "scored", "duplicate", "conflict"


@dataclass(frozen=True)
class Outcome:
    """What the oracle says of one event; all but `status` are empty for duplicates and conflicts.

    `history` are the rows whose vectors a model may look back on, this event's last; `moment` lets a test
    widen windows.
    """

    status: str
    late: bool = False
    depth: int = 0
    vector: dict[str, float] = field(default_factory=dict)
    history: list[int] = field(default_factory=list)
    moment: Moment | None = None


def is_question(view: FeatureView, event: Any) -> bool:
    """Whether it is scored as of a time, and no event."""
    return type(event) is question_struct(view.event)


class Oracle:
    """Folds events one by one, in arrival order.

    Where steps of the history are spans of the calendar, a span without an event has the step that a question as of its
    end was answered with: the stream has to ask it before the next event in order (`streams.with_closings`).
    """

    def __init__(self, view: FeatureView) -> None:
        self.view = view
        self.accepted: dict[str, list[Accepted]] = {}
        self.lives: dict[str, list[Accepted]] = {}
        self.answered: dict[tuple[str, int, int], int] = {}
        self.rows = 0

    def fold(self, event: Any) -> Outcome:
        """Features of this event by their definitions; remembers the event unless it is late or known."""
        view, row, time = self.view, self.rows, event.occurred_at_ms
        self.rows += 1
        accepted = self.accepted.setdefault(getattr(event, view.entity), [])
        newest = max((one.time for one in accepted), default=None)
        asked = is_question(view, event)
        if newest is not None and time - newest > view.horizon_ms:
            if asked:
                accepted = []
            else:
                accepted.clear()
            newest = None
        for known in self._ring(accepted, newest) if not asked else ():
            if known.event.event_id == event.event_id:
                return Outcome(DUPLICATE if known.event == event else CONFLICT)
        in_order = newest is None or time >= newest
        late = newest is not None and time < newest - view.grace_ms
        memory = self._memory(accepted, time if in_order else newest)
        ring = self._ring(accepted, time if in_order else newest)
        life = self._life(getattr(event, view.entity), time)
        latest = ring[-1] if ring else max(life, key=lambda one: (one.time, one.row), default=None)
        if asked and view.group and latest:  # a question has no currency: that of the newest event
            event = msgspec.structs.replace(event, **{view.group: getattr(latest.event, view.group)})
        current = Accepted(row, event, in_order, self._numbers(event, in_order, accepted, ring))
        moment = Moment(view, current, tuple(accepted), memory, ring, tuple(life), asked)
        vector = {feature.name: value_of(feature, moment) for feature in view.features}
        if asked:  # it does not count itself
            vector |= {each.name: vector[each.name] - 1 for each in view.features if isinstance(each, Count)}
        if asked:
            self.answered[getattr(event, view.entity), time, len(accepted)] = row
        steps = view.history.length - 1 if view.history else 0
        past = self._steps(getattr(event, view.entity), accepted, ring, time)
        if not late and not asked:
            accepted.append(current)
            self.lives[getattr(event, view.entity)] = [*life, current]
        return Outcome(SCORED, late, len(ring), vector, [*past[max(len(past) - steps, 0) :], row], moment)

    def _steps(self, entity: str, accepted: list[Accepted], ring: list[Accepted], time: int) -> list[int]:
        """Rows of the steps before that of a time, oldest first."""
        step, length = (self.view.history.step, self.view.history.length) if self.view.history else ("event", 1)
        if step == "event":
            return [one.row for one in ring if one.in_order]
        if step == "period_close":
            periods = {one.time: one.row for one in ring if one.in_order}
            return [row for closed, row in list(periods.items())[-length:] if closed < time]
        in_order = [(place, one) for place, one in enumerate(accepted) if one.in_order]
        following = [*((place, one.time) for place, one in in_order[1:]), (len(accepted), time)]
        steps: dict[int, int] = {}
        for (_, one), (before, until) in zip(in_order, following, strict=False):  # there may be none
            steps[begin_of_span(step, one.time)] = one.row
            for end in ends_between(step, one.time, until):
                steps[begin_of_span(step, end)] = self.answered[entity, end, before]
        return [row for begin, row in list(steps.items())[-length:] if begin < begin_of_span(step, time)]

    def _life(self, entity: str, time: int) -> list[Accepted]:
        """Events of the life that the entity has at a time; empty when it is over."""
        life = self.lives.get(entity, [])
        newest = max((one.time for one in life), default=time)
        return life if time - newest <= self.view.active_within_ms else []

    def _memory(self, accepted: list[Accepted], newest: int | None) -> list[Accepted]:
        if newest is None:
            return []
        oldest = newest - self.view.horizon_ms - self.view.grace_ms
        return [one for one in accepted if one.time > oldest]

    def _ring(self, accepted: list[Accepted], newest: int | None) -> list[Accepted]:
        return sorted(self._memory(accepted, newest), key=lambda one: (one.time, one.row))[-self.view.ring :]

    def _numbers(
        self, event: Any, in_order: bool, accepted: list[Accepted], ring: list[Accepted]
    ) -> dict[str, float | None]:
        numbers = {
            name: value
            for name in event.__struct_fields__
            if not isinstance(value := getattr(event, name), str) and name != "occurred_at_ms"
        }
        if is_question(self.view, event):
            numbers = dict.fromkeys(numbers)
        before = max(accepted, key=lambda one: (one.time, one.row), default=None)
        for declared in self.view.numbers:
            if isinstance(declared, LogReturn):
                now = numbers[declared.of]
                then = before.numbers[declared.of] if before else None
                known = in_order and now is not None and then is not None and now > 0 and then > 0
                numbers[declared.name] = log_of_ratio(now, then) if known else None
            if isinstance(declared, Difference):
                now, then = numbers[declared.of], before.numbers[declared.of] if before else None
                numbers[declared.name] = None if not in_order or now is None or then is None else now - then
            if isinstance(declared, RecentMean):
                now = numbers[declared.of]
                past = [one.numbers[declared.of] for one in ring if one.in_order]
                values = [*(value for value in past if value is not None), now][-declared.events :]
                numbers[declared.name] = mean(values) if in_order and now is not None else None
        return numbers
