"""Financial crime: real payments with invented frauds among them, a scorer that alerts and two challengers."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scoring.catalog import scorers
from stream.demo.figures import area_under_curve, average_precision
from stream.demo.frauds import KINDS, episode_of
from stream.demo.inputs import PAYMENTS_FILE, write_payments
from stream.demo.use import Judged, Returned, Shown, Use, columns

LIVE, *_ = SCORERS = ("payment_anomaly", "payment_attention", "payment_fraud")
AMOUNT = "size of the amount"
ABOUT = {
    LIVE: "alerts: an autoencoder of what accounts of this shop do, without labels",
    "payment_attention": "challenger: judges the payment's own amount by the sequence before it, without labels",
    "payment_fraud": "challenger: learned from frauds among simulated cards, and this shop names no merchants",
    AMOUNT: "no model: the larger, the more suspicious",
}
LEAST_FOUND_SHARE = 0.8
MOST_ALERTED_SHARE = 0.05


def judge(returned: Returned) -> Judged:
    """How the scorers rank the injected frauds, beside the amount alone, and which frauds the alerts found."""
    payments = pl.read_parquet(returned.inputs.inputs[0].file)
    injected = returned.inputs.injected
    event_ids = payments["event_id"].to_list()
    truth = np.array([event_id in injected for event_id in event_ids], np.bool_)
    ranked = {AMOUNT: payments["amount"].abs().to_numpy()}
    for name in SCORERS:
        scores = returned.scores.get(name, {})
        # what has no score is the least suspicious: it raised nothing
        ranked[name] = np.array([scores[each].value if each in scores else 0.0 for each in event_ids])
    ranked = {name: ranked[name] for name in ABOUT}
    alerted = ranked[LIVE] >= scorers()[LIVE].policy.alert
    found, share = int((alerted & truth).sum()), float(alerted.mean())
    problems = []
    if found < LEAST_FOUND_SHARE * truth.sum():
        problems.append(
            f"{found} of {truth.sum()} injected frauds were found, expected at least {LEAST_FOUND_SHARE:.0%}; "
            "train the shipped models anew: make train"
        )
    if share > MOST_ALERTED_SHARE:
        problems.append(
            f"{share:.1%} of the payments are at level alert, expected at most {MOST_ALERTED_SHARE:.0%}; "
            "train the shipped models anew: make train"
        )
    figures = {"injected": int(truth.sum()), "injected_found": found, "alerted_share": round(share, 4)}
    for name, values in ranked.items():
        short = _short(name)
        figures[f"auc_{short}"] = round(area_under_curve(values, truth), 4)
        figures[f"average_precision_{short}"] = round(average_precision(values, truth), 4)
    return Judged(
        shown=(_ranking(figures, len(truth)), _by_kind(event_ids, truth, alerted)),
        figures=figures,
        checked="at least four fifths of the injected frauds were found, and at most a twentieth of the payments alerted",
        problems=problems,
    )


def _ranking(figures: Mapping[str, float], rows: int) -> Shown:
    table = columns("by", "what it is", right=("AUC", "average precision"))
    for name, about in ABOUT.items():
        told = (f"{figures[f'{figure}_{_short(name)}']:.3f}" for figure in ("auc", "average_precision"))
        table.add_row(name, *told, f"[dim]{about}[/]")
    others = rows - figures["injected"]
    return Shown(f"who puts the {figures['injected']} injected payments before the {others:,} others", table)


def _by_kind(event_ids: Sequence[str], truth: NDArray[np.bool_], alerted: NDArray[np.bool_]) -> Shown:
    table = columns("kind of fraud", right=("episodes", "found", "payments", "at level alert"))
    rows = [(episode_of(event_ids[place]) or "", bool(alerted[place])) for place in np.flatnonzero(truth).tolist()]
    for kind in KINDS:
        mine = [(episode, level) for episode, level in rows if episode.endswith(kind)]
        episodes, caught = {episode for episode, _ in mine}, {episode for episode, level in mine if level}
        table.add_row(kind, str(len(episodes)), str(len(caught)), str(len(mine)), str(sum(level for _, level in mine)))
    table.add_section()
    table.add_row("real payments", "", "", f"{(~truth).sum():,}", f"{(alerted & ~truth).sum():,}", style="dim")
    return Shown(f"what {LIVE} found", table)


def _short(name: str) -> str:
    return "amount" if name == AMOUNT else name


USE = Use(
    about="financial crime: real payments with invented frauds among them, through a real Kafka and Redis",
    scorers=SCORERS,
    inputs=write_payments,
    judge=judge,
    replayed=PAYMENTS_FILE,
)
