"""The model card: one HTML file that needs nothing else, with what the model is for and how it does."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

import numpy as np
from numpy.typing import NDArray

from scoring.model.manifest import QUANTILES, Manifest
from training.evaluation import TAIL_LEVELS, Evaluation
from training.loop import Curve
from training.plots import loss_plot, score_plot, tail_plot

CSS = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}
td,th{padding:.15rem .7rem;text-align:right;font-variant-numeric:tabular-nums}th{border-bottom:1px solid
#888}td:first-child,th:first-child{text-align:left}h2{margin-top:2rem} tr:nth-child(even)
td{background:#f5f7fa}.facts td{text-align:left;vertical-align:top}
td:first-child{white-space:nowrap}figure{display:inline-block;margin:0 1rem 1rem 0}svg{max-width:100%}
""".strip()


def card_html(
    manifest: Manifest, evaluation: Evaluation, curve: Curve | None, scores: NDArray[np.float32], *, chosen: str = ""
) -> str:
    """The card as HTML text; the same text for the same arguments.

    Args:
        manifest: of the bundle, its file hashes not needed yet.
        evaluation: on the test part.
        scores: of the test part, for their distribution.
        chosen: why its trainer and no other; empty where nothing was compared.
    """
    training = manifest.training
    facts = [
        ("Permitted use", manifest.permitted_use),
        ("Never an input", ", ".join(manifest.protected) or "no protected attribute came with the data"),
        ("What a score means", manifest.meaning),
        *([("Why this model", chosen)] if chosen else ()),
        ("Explanation", f"{manifest.contributions.method}; sums to {manifest.contributions.explains}")
        if manifest.contributions
        else ("Explanation", "none"),
        ("View", f"{manifest.view}@{manifest.view_digest}"),
        ("Trained on", f"{', '.join(training.data)} ({training.licence})"),
        (
            "Training span",
            f"{_day(training.first_event_ms)} to {_day(training.last_event_ms)}, {training.rows:,} events",
        ),
        ("Test span", f"{_day(evaluation.first_event_ms)} to {_day(evaluation.last_event_ms)}"),
        ("Test part", f"{evaluation.rows:,} events of {evaluation.entities:,} entities"),
        ("Suggested thresholds", ", ".join(f"{name} {value}" for name, value in manifest.thresholds.items())),
    ]
    shares = [tuple(each or 0.0 for each in evaluation.tail[str(level)]) for level in TAIL_LEVELS]
    sections = [
        f"<h1>{escape(manifest.scorer)}</h1>",
        _facts(facts),
        "<h2>How it does on later events</h2>",
        _metrics(manifest, evaluation),
        "<figure>" + score_plot(scores, uniform=manifest.score_kind == "tail") + "</figure>",
        *(_tail(shares) if manifest.score_kind == "tail" else _probability(manifest)),  # type: ignore[arg-type]
        _removed_history(manifest),
        _faithfulness(manifest),
        "<h2>Training</h2>",
        "<figure>" + loss_plot(curve) + "</figure>" if curve else "<p>Not trained by steps.</p>",
        table_html(("argument", "value"), [(name, str(value)) for name, value in training.arguments.items()]),
        "<h2>What is usual</h2>",
        table_html(
            ("feature", *(f"{100 * share:g} %" for share in QUANTILES)),
            [(name, *(_number(value) for value in row)) for name, row in manifest.baseline.items()],
        ),
    ]
    head = f"<meta charset=utf-8><title>{escape(manifest.scorer)}: model card</title><style>{CSS}</style>"
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(sections)}</body></html>\n"


_WITHOUT_PAST = {
    "auc": "AUC with the past",
    "auc_alone": "AUC without it",
    "auc_difference": "AUC that the past is worth",
    "score_change": "mean distance of the two scores of an event",
}


def _removed_history(manifest: Manifest) -> str:
    """What the score loses where nothing came before; empty where it was not measured, or there is no past."""
    found = manifest.metrics.get("removed_history")
    if found is None:
        return ""
    told = f"{found['rows']:,} events, each scored as if it were its entity's first"
    rows = [(said, *_figures(found[name])) for name, said in _WITHOUT_PAST.items() if name in found]
    return "<h2>What the past is worth</h2>" + table_html((told, "value", "95 % from", "to"), rows)


def _faithfulness(manifest: Manifest) -> str:
    """Whether explanations say what moves the score; empty where it was not measured."""
    found = manifest.metrics.get("faithfulness")
    if found is None:
        return ""
    value, low, high = found["shapley"]
    rows = [
        ("deleting what the explanation names first leaves", f"{found['deletion']['explanation']:.3f}"),
        (f"in random order ({found['against_random']})", f"{found['deletion']['random']:.3f}"),
        (f"farthest from usual first ({found['against_zscore']})", f"{found['deletion']['zscore']:.3f}"),
        ("rank correlation with exact Shapley values", f"{value:.3f} ({low:.3f} to {high:.3f})"),
        ("holds: ahead of both orders, correlation at least 0.8", "yes" if found["holds"] else "no"),
    ]
    told = f"{found['rows']} events with the largest scores, {found['groups']} groups of features"
    return "<h2>Whether explanations are faithful</h2>" + table_html((told, ""), rows)


def _tail(shares: Sequence[tuple[float, float, float]]) -> list[str]:
    return [
        "<figure>" + tail_plot(TAIL_LEVELS, shares) + "</figure>",
        "<p>Observed above promised means that the later events differ from those it was calibrated on.</p>",
    ]


def _probability(manifest: Manifest) -> list[str]:
    """What a probability is worth, and for whom: reliability, and figures of groups nobody may be judged by."""
    reliability = manifest.metrics.get("reliability", {})
    sections = [
        "<h2>Reliability</h2><p>A slope of 1 is calibrated; below 1 the probabilities are too far apart.</p>",
        table_html(
            ("figure", "value", "95 % from", "to"), [(name, *_figures(found)) for name, found in reliability.items()]
        ),
    ]
    groups = manifest.metrics.get("groups")
    if not groups:
        return sections
    sections.append(
        "<h2>Groups</h2><p>These columns are no input of the model. Codes are those of the source. Approved: scores "
        f"below watch ({manifest.thresholds['watch']}); the ratio is to the column's best group.</p>"
    )
    head = ("attribute", "group", "rows", "AUC", "from", "to", "mean score", "observed", "approved", "ratio")
    rows = [
        (
            str(each["attribute"]), str(each["group"]), f"{each['rows']:,}", *_figures(each["auc"]),
            *(_number(each[name]) for name in ("mean_score", "observed", "approved", "approved_to_best")),
        )
        for each in groups
    ]  # fmt: skip
    return [*sections, table_html(head, rows)]


def _metrics(manifest: Manifest, evaluation: Evaluation) -> str:
    rows = [
        (f"share of scores above {level}", *_figures(found))
        for level, found in evaluation.tail.items()
        # what a tail promises of each level a probability does not: levels that it never reaches say nothing
        if manifest.score_kind == "tail" or found[0]
    ]
    for name in ("mse", "rmse"):
        if name in manifest.metrics:
            rows.append((f"{name} ({manifest.metrics['error']})", *_figures(manifest.metrics[name])))
    for rival, figures in evaluation.detection.items():
        rows += [(f"{figure} of {rival}", *_figures(found)) for figure, found in figures.items()]
    return table_html(("figure", "value", "95 % from", "to"), rows)


def _figures(found: Sequence[float | None]) -> tuple[str, ...]:
    return tuple(_number(each) for each in found)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d")


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    """Names and texts, both set to the left."""
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(text)}</td></tr>" for name, text in facts)
    return f"<table class=facts>{rows}</table>"


def table_html(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain texts."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"
