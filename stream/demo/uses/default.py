"""Default risk: the probability that a card account does not pay next month, and the reasons a refusal would give."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.markup import escape

from schemas.alert import Alert
from schemas.catalog import event_types
from scoring.files import read_events, read_mapping
from stream.demo.figures import area_under_curve, average_precision, reliability
from stream.demo.inputs import DemoInputs, shipped, write_input
from stream.demo.use import Judged, Returned, Shown, Use, columns
from stream.printable import printable

SCORER = "card_default"
TOPIC = "account-months"
FILE = "account_months.parquet"
RAW = "cards.parquet"
LIVE_FROM = datetime(2005, 9, 30, tzinfo=UTC)
"""The last of six monthly statements: the one whose next month is known."""

BANDS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
LEAST_AUC = 0.75
MOST_OFF = 0.03
REFUSED_SHOWN = 5
MOST_REASONS = 4


def inputs(folder: Path) -> DemoInputs:
    """Six statements of each of 4,800 customers the model was not trained on, and who defaulted afterwards."""
    raw = folder / RAW
    shipped("cards_demo").write_parquet(raw)
    (chunk,) = read_events([raw], read_mapping("uci_card_default"), event_types()[TOPIC])
    assert chunk.labels is not None  # the mapping names them
    known = chunk.frame.select("event_id").with_columns(label=chunk.labels).drop_nulls("label")
    return DemoInputs(
        inputs=(write_input(folder / FILE, TOPIC, chunk.frame, LIVE_FROM),),
        labels=dict(known.iter_rows()),
    )


def judge(returned: Returned) -> Judged:
    """How well the probabilities tell who defaults, whether they hold, and why the likeliest would be refused."""
    scores, labels = returned.scores.get(SCORER, {}), returned.inputs.labels
    judged = [score for event_id, score in scores.items() if event_id in labels]
    values = np.array([score.value for score in judged])
    truth = np.array([labels[score.event_id] == 1 for score in judged], np.bool_)
    auc, precision = area_under_curve(values, truth), average_precision(values, truth)
    brier = float(np.square(values - truth).mean()) if len(values) else float("nan")
    said, observed = (float(each.mean()) if len(each) else float("nan") for each in (values, truth))
    most_reasons = max((len(score.reasons) for score in scores.values()), default=0)
    problems = []
    if not auc >= LEAST_AUC:
        problems.append(f"AUC is {auc:.3f}, expected at least {LEAST_AUC}; train the shipped model anew: make train")
    if not abs(said - observed) <= MOST_OFF:
        problems.append(
            f"{said:.1%} were said to default and {observed:.1%} did, expected at most {MOST_OFF:.0%} apart; "
            "train the shipped model anew: make train"
        )
    if most_reasons > MOST_REASONS:
        problems.append(f"a score has {most_reasons} reasons, expected at most {MOST_REASONS}; see scoring/reasons.py")
    figures = {
        "customers": len(judged), "defaulted": int(truth.sum()), "auc": round(auc, 4),
        "average_precision": round(precision, 4), "brier": round(brier, 4), "said": round(said, 4),
        "observed": round(observed, 4),
    }  # fmt: skip
    return Judged(
        shown=(_calibration(values, truth, figures), _refused(returned.alerts, labels)),
        figures=figures,
        checked="the probabilities rank and hold, and no refusal has more than four reasons",
        problems=problems,
    )


def _calibration(values: NDArray[np.float64], truth: NDArray[np.bool_], figures: Mapping[str, float]) -> Shown:
    table = columns("probability", right=("customers", "said to default", "did default"))
    for band in reliability(values, truth, BANDS):
        table.add_row(f"{band.low:.0%} to {band.high:.0%}", f"{band.rows:,}", f"{band.said:.1%}", f"{band.observed:.1%}")
    table.add_section()
    table.add_row("all", f"{len(values):,}", f"{figures['said']:.1%}", f"{figures['observed']:.1%}", style="bold")
    return Shown(
        f"{len(values):,} customers the model never saw: AUC {figures['auc']:.3f}, average precision "
        f"{figures['average_precision']:.3f}, Brier {figures['brier']:.3f}",
        table,
    )


def _refused(alerts: Sequence[Alert], labels: Mapping[str, int]) -> Shown:
    table = columns("account", "principal reasons", right=("probability", "did default"))
    latest = [alert for alert in alerts if alert.event_id in labels]
    for alert in sorted(latest, key=lambda each: -each.value)[:REFUSED_SHOWN]:
        table.add_row(
            escape(printable(alert.entity)), f"{alert.value:.1%}", "yes" if labels[alert.event_id] else "no",
            escape(printable(alert.explanation.removeprefix("principal reasons: "))),
        )  # fmt: skip
    title = f"the likeliest to default, with what a refusal would have to say (at most {MOST_REASONS} reasons)"
    return Shown(title, table)


USE = Use(
    about="default risk: 4,800 card customers over six months, through a real Kafka and Redis",
    scorers=(SCORER,),
    inputs=inputs,
    judge=judge,
    replayed=FILE,
)
