"""The end of a demo: the figures, and whether they are good enough."""

from collections.abc import Mapping, Sequence

import msgspec

from stream.demo.ledger import Ledger

LEAST_FOUND_SHARE = 0.8
MOST_ALERTED_SHARE = 0.05


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What `riskstream demo --json` prints as its last line.

    Attributes:
        events: records in the input topics.
        scores: scores of all scorers, challengers included; alerts, dead_letters: records published.
        missing: pairs of an event and a scorer of its topic that have neither a score nor a dead letter.
        injected: injected payments. injected_found: those whose own score by a live scorer has level `alert`;
            one that is held back by the cool-down of an earlier alert on the same account and top reason
            counts.
        p50_ms, p99_ms: of the steady phase, from the time an event was due to be handed to the producer until
            the broker's stamp on each of its scores; null when there were none.
    """

    events: int
    scores: int
    alerts: int
    dead_letters: int
    missing: int
    injected: int
    injected_found: int
    p50_ms: float | None
    p99_ms: float | None


class UseSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What `riskstream demo --use NAME --json` prints as its last line.

    Attributes:
        use: its name; figures: what it says of what came back, by name.
        repeated: scores and dead letters beyond the first of their event and scorer.
        events, scores, alerts, dead_letters, missing, p50_ms, p99_ms: as in `Summary`.
        seconds: from the command's beginning to this summary.
        problems: why it is not good; empty when it is.
    """

    use: str
    events: int
    scores: int
    alerts: int
    dead_letters: int
    missing: int
    repeated: int
    p50_ms: float | None
    p99_ms: float | None
    seconds: float
    figures: Mapping[str, float]
    problems: Sequence[str]


class Extras(msgspec.Struct, frozen=True, kw_only=True):
    """What people are told beside the summary.

    Attributes:
        fed: events the broker acknowledged to the feeder.
        alerted: events with level `alert` by a live scorer, those held back included.
        alerts_missing: scores that raise an alert, less the alerts that came.
        scores: by scorer; levels: scores of live scorers by level.
        first_alert_s: seconds from the services being ready to the first alert read; None when there was none.
        seconds: of the whole demo until this summary.
        steady_events, events_per_second: how many events the latency was measured on, and their rate.
    """

    fed: int
    alerted: int
    alerts_missing: int
    scores: Mapping[str, int]
    levels: Mapping[str, int]
    first_alert_s: float | None
    seconds: float
    steady_events: int
    events_per_second: float


def summary_of(ledger: Ledger) -> Summary:
    """The summary of what the ledger holds."""
    return Summary(
        events=sum(ledger.expected.values()),
        scores=sum(ledger.scores.values()),
        alerts=ledger.alerts,
        dead_letters=ledger.dead_letters,
        missing=ledger.missing,
        injected=len(ledger.injected),
        injected_found=len(ledger.found),
        p50_ms=_rounded(ledger.delay_ms(50)),
        p99_ms=_rounded(ledger.delay_ms(99)),
    )


def problems_of(summary: Summary, extras: Extras) -> list[str]:
    """Why the demo failed, each with what to look at; empty when it is good."""
    found = delivery_problems(summary, extras)
    if summary.injected_found < LEAST_FOUND_SHARE * summary.injected:
        found.append(
            f"{summary.injected_found} of {summary.injected} injected frauds were found, expected at least "
            f"{LEAST_FOUND_SHARE:.0%}; train the shipped models anew: make train"
        )
    if extras.alerted > MOST_ALERTED_SHARE * summary.events:
        found.append(
            f"{extras.alerted:,} of {summary.events:,} events are at level alert, expected at most "
            f"{MOST_ALERTED_SHARE:.0%}; train the shipped models anew: make train"
        )
    return found


def delivery_problems(summary: Summary, extras: Extras) -> list[str]:
    """What went in and did not come out, each with what to look at; empty when everything did."""
    found = []
    if summary.events != extras.fed:
        found.append(f"{extras.fed:,} events were acknowledged, but the topics hold {summary.events:,}")
    if summary.missing:
        found.append(
            f"{summary.missing:,} pairs of event and scorer have neither score nor dead letter; see the worker's log"
        )
    if extras.alerts_missing:
        found.append(
            f"{extras.alerts_missing:,} scores raise an alert that did not come; see the worker's log"
        )
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
