"""Scores beside labels: each event once, by the entity that its label names; and figures of known rankings."""

import msgspec
import numpy as np
import pytest

from schemas.dead_letter import DeadLetter, Reason
from schemas.label import Label
from schemas.source import Source
from stream.judge.joined import Joined, Said, count_letters
from stream.judge.judgement import Draws, compared, judged
from stream.judge.truths import Truths

DRAWS = Draws(resamples=200, seed=1)


def truths_of(labels: dict[tuple[str, str], str]) -> Truths:
    truths = Truths(known_by_ms=10)
    truths.take(
        msgspec.json.encode(Label(event_id=event, entity=entity, label=label, known_at_ms=1))
        for (event, entity), label in labels.items()
    )
    return truths


def said(event: str, value: float, *, entity: str = "x", level: str = "none", again: str = "") -> Said:
    return Said(f"s:{event}{again}", "s", event, entity, 0, value, level, "b1")  # type: ignore[arg-type]


def test_an_event_counts_once_however_often_its_score_is_there() -> None:
    """A worker that seemed dead may write a score twice, and a topic may be fed twice: neither makes more evidence."""
    joined, truths = Joined("s"), truths_of({("a", "x"): "1"})
    for each in (said("a", 0.5), said("a", 0.5), said("a", 0.9, again="-2"), said("b", 0.1)):
        joined.add(each, truths)
    assert (joined.scores, joined.repeated, joined.scored_again, joined.unlabelled) == (4, 1, 1, 1)
    rows = joined.rows()
    assert (rows.events, rows.values.tolist(), rows.positive.tolist()) == ([("a", "x")], [0.5], [1])


def test_only_a_scorer_over_a_second_entity_is_joined_by_event_alone() -> None:
    """Its scores name the merchant; for others, an equal id of another account is another event."""
    truths = truths_of({("a", "x"): "1", ("b", "x"): "1", ("b", "y"): "0"})
    for second_pass, judged_events in ((True, [("a", "x")]), (False, [])):
        joined = Joined("s", second_pass=second_pass)
        for event in "ab":
            joined.add(said(event, 0.5, entity="merchant"), truths)
        assert joined.rows().events == judged_events
        assert joined.unlabelled == 2 - len(judged_events)


def test_figures_are_those_of_the_ranking_and_of_the_levels_as_published() -> None:
    """Four frauds, one below all: worked out by hand."""
    truths = truths_of({(f"e{i}", f"x{i}"): label for i, label in enumerate("11010010")})
    joined = Joined("s")
    levels = ["alert", "alert", "watch", "watch", "watch", "none", "none", "none"]
    for i, level in enumerate(levels):
        joined.add(said(f"e{i}", 1 - i / 10, entity=f"x{i}", level=level), truths)
    found = judged(joined, DRAWS)
    assert (found.n, found.positives, found.entities, found.bundles) == (8, 4, 8, ("b1",))
    assert found.auc[0] == pytest.approx(12 / 16)
    assert found.average_precision[0] == pytest.approx((1 + 1 + 3 / 4 + 4 / 7) / 4, abs=1e-6)
    assert found.alert["precision"][0] == 1.0 and found.alert["recall"][0] == 0.5
    assert found.watch["precision"][0] == pytest.approx(3 / 5) and found.watch["recall"][0] == 0.75
    value, low, high = found.auc
    assert low is not None and high is not None and value is not None and low < value < high


def test_without_labels_or_without_both_kinds_there_is_no_figure() -> None:
    """A number would be taken for one."""
    for labels, precision in (({}, None), ({("a", "x"): "1"}, None), ({("a", "x"): "0"}, None)):
        joined = Joined("s")
        joined.add(said("a", 0.5), truths_of(labels))
        found = judged(joined, DRAWS)
        assert found.auc == [None, None, None]
        assert found.alert["precision"][0] is precision


def test_a_scorer_against_itself_differs_by_nothing_and_the_better_one_by_more() -> None:
    """Both are drawn together, so what is due to the draw falls out."""
    generator = np.random.default_rng(3)
    truth = generator.integers(0, 2, 400)
    truths = truths_of({(f"e{i}", f"x{i % 40}"): str(label) for i, label in enumerate(truth)})
    good, poor = Joined("good"), Joined("poor")
    for i, label in enumerate(truth):
        good.add(said(f"e{i}", float(np.clip(label * 0.3 + generator.random() * 0.7, 0, 1)), entity=f"x{i % 40}"), truths)
        if i % 4:
            poor.add(said(f"e{i}", float(generator.random()), entity=f"x{i % 40}"), truths)
    same, better = compared(good, good, DRAWS), compared(good, poor, DRAWS)
    assert same.auc_difference == [0.0, 0.0, 0.0]
    assert (same.n, better.n) == (400, 300)
    assert all(each is not None and each > 0 for each in better.auc_difference)


def test_a_dead_letter_counts_once_for_each_scorer_it_stands_for() -> None:
    """A refused record has no score of any scorer of its topic; a failed model none of its own."""

    def letter(number: int, topic: str, scorer: str | None) -> DeadLetter:
        return DeadLetter(
            dead_letter_id=f"dead:{number}", reason=Reason.WRONG_TYPE, stage="decode", source=Source(topic, 0, number),
            path="$", detail="", scorer=scorer,
        )  # fmt: skip

    joined = {name: Joined(name) for name in ("one", "two", "other")}
    letters = [letter(1, "t", None), letter(1, "t", None), letter(2, "t", "two"), letter(3, "u", None)]
    count_letters(letters, {"one": "t", "two": "t", "other": "u"}, joined)
    assert {name: each.dead_letters.total() for name, each in joined.items()} == {"one": 1, "two": 2, "other": 1}
