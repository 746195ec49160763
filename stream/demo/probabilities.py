"""What a use says of probabilities: how they rank, whether they hold, and why the likeliest would be refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.markup import escape

from schemas.alert import Alert
from stream.demo.figures import area_under_curve, average_precision, reliability
from stream.demo.use import Judged, Returned, Shown, columns
from stream.printable import printable

MOST_REASONS = 4
"""More than four principal reasons are of little help to who is refused (12 CFR 1002.9, comment 9(b)(2)-1)."""

REFUSED_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Aims:
    """When the probabilities of a scorer are good enough.

    Attributes:
        scorer: its name; who: whom it judges, in plural; what: the named event, as a verb.
        edges: of the bands in which probabilities are held against what came true, from 0 to 1.
        least_auc: area under the curve; most_off: greatest distance of mean probability and share that came true.
    """

    scorer: str
    who: str
    what: str
    edges: tuple[float, ...]
    least_auc: float
    most_off: float


def judge_probabilities(returned: Returned, aims: Aims) -> Judged:
    """What the scores of the labelled events are worth; the labels are those of `returned.inputs`."""
    scores, labels = returned.scores.get(aims.scorer, {}), returned.inputs.labels
    judged = [score for event_id, score in scores.items() if event_id in labels]
    values = np.array([score.value for score in judged])
    truth = np.array([labels[score.event_id] == 1 for score in judged], np.bool_)
    auc = area_under_curve(values, truth)
    brier = float(np.square(values - truth).mean()) if len(values) else float("nan")
    said, observed = (float(each.mean()) if len(each) else float("nan") for each in (values, truth))
    figures = {
        aims.who: len(judged), "came_true": int(truth.sum()), "auc": round(auc, 4),
        "average_precision": round(average_precision(values, truth), 4), "brier": round(brier, 4),
        "said": round(said, 4), "observed": round(observed, 4),
    }  # fmt: skip
    problems = []
    if not auc >= aims.least_auc:
        problems.append(
            f"AUC is {auc:.3f}, expected at least {aims.least_auc}; train the shipped model anew: make train"
        )
    if not abs(said - observed) <= aims.most_off:
        problems.append(
            f"{said:.1%} were said to {aims.what} and {observed:.1%} did, expected at most {aims.most_off:.0%} apart; "
            "train the shipped model anew: make train"
        )
    most_reasons = max((len(score.reasons) for score in scores.values()), default=0)
    if most_reasons > MOST_REASONS:
        problems.append(f"a score has {most_reasons} reasons, expected at most {MOST_REASONS}; see scoring/reasons.py")
    return Judged(
        shown=(_calibration(values, truth, figures, aims), _refused(returned.alerts, labels, aims)),
        figures=figures,
        checked="the probabilities rank and hold, and no refusal has more than four reasons",
        problems=problems,
    )


def _calibration(
    values: NDArray[np.float64], truth: NDArray[np.bool_], figures: Mapping[str, float], aims: Aims
) -> Shown:
    table = columns("probability", right=(aims.who, f"said to {aims.what}", f"did {aims.what}"))
    for band in reliability(values, truth, aims.edges):
        table.add_row(f"{band.low:.0%} to {band.high:.0%}", f"{band.rows:,}", f"{band.said:.1%}", f"{band.observed:.1%}")
    table.add_section()
    table.add_row("all", f"{len(values):,}", f"{figures['said']:.1%}", f"{figures['observed']:.1%}", style="bold")
    return Shown(
        f"{len(values):,} {aims.who} the model never saw: AUC {figures['auc']:.3f}, average precision "
        f"{figures['average_precision']:.3f}, Brier {figures['brier']:.3f}",
        table,
    )


def _refused(alerts: Sequence[Alert], labels: Mapping[str, int], aims: Aims) -> Shown:
    table = columns("entity", "principal reasons", right=("probability", f"did {aims.what}"))
    latest = [alert for alert in alerts if alert.event_id in labels]
    for alert in sorted(latest, key=lambda each: -each.value)[:REFUSED_SHOWN]:
        table.add_row(
            escape(printable(alert.entity)), f"{alert.value:.1%}", "yes" if labels[alert.event_id] else "no",
            escape(printable(alert.explanation.removeprefix("principal reasons: "))),
        )  # fmt: skip
    title = f"the likeliest to {aims.what}, with what a refusal would have to say (at most {MOST_REASONS} reasons)"
    return Shown(title, table)
