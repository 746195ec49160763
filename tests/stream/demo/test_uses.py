"""The uses that the demo shows: each a file, on data its bundles never learned from, and a judge that can say no."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import scoring.bundles
import stream.demo.uses
from schemas.catalog import BrokenDeclaration, event_types
from schemas.score import Score
from schemas.source import Source
from scoring.catalog import scorers
from stream.demo.inputs import DemoInputs
from stream.demo.use import Returned
from stream.demo.use_catalog import use_named, uses
from stream.errors import JobFailed

SHIPPED = Path(next(iter(scoring.bundles.__path__)))
COLD, WARM = ("cold",), ()


@pytest.fixture(scope="module")
def fed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DemoInputs]:
    """What each use feeds, written once."""
    return {name: use.inputs(tmp_path_factory.mktemp(name)) for name, use in uses().items()}


def score(scorer: str, event_id: str, value: float = 0.1, **given: object) -> Score:
    values = {
        "score_id": f"{scorer}:{event_id}", "scorer": scorer, "event_id": event_id, "entity": "a",
        "source": Source("topic", 0, 0), "occurred_at_ms": 1_000, "value": value, "score_kind": "tail", "level": "none",
        "features": "", "depth": 3, "bundle": "", "policy": "", "view": "", "runtime": "",
    }  # fmt: skip
    return Score(**(values | given))


def test_the_uses_of_financial_crime_market_risk_and_default_risk_are_there() -> None:
    """These three were promised; others may follow, a file each."""
    assert {"crime", "default", "market"} <= set(uses())


@pytest.mark.parametrize("name", uses())
def test_a_use_names_declared_scorers_of_what_it_feeds(name: str, fed: dict[str, DemoInputs]) -> None:
    """A scorer of another topic would never have a score, and the demo would wait for it in vain."""
    topics = {each.topic for each in fed[name].inputs}
    assert {scorers()[scorer].event.topic for scorer in uses()[name].scorers} == topics
    assert topics <= set(event_types())


@pytest.mark.parametrize("name", uses())
def test_a_use_feeds_events_in_order_with_a_history_and_a_steady_part(name: str, fed: dict[str, DemoInputs]) -> None:
    """Events out of order would be late; a steady part of more than half a minute would take too long."""
    for each in fed[name].inputs:
        events = pl.read_parquet(each.file)
        assert events["occurred_at_ms"].is_sorted()
        assert events["event_id"].is_unique().all()
        assert events.height == each.rows
        assert 0 < each.history < each.rows < each.history + 10_000
        assert each.file.parent.joinpath(uses()[name].replayed).is_file()


@pytest.mark.parametrize("name", uses())
def test_no_bundle_of_a_use_was_trained_on_what_the_use_feeds(name: str, fed: dict[str, DemoInputs]) -> None:
    """A model shown on what it learned from would look better than it is."""
    trained_on = {
        file
        for scorer in uses()[name].scorers
        for file in json.loads((SHIPPED / scorer / "manifest.json").read_text())["training"]["data"]
    }
    ids = {event_id for each in fed[name].inputs for event_id in pl.read_parquet(each.file)["event_id"]}
    data = Path(stream.demo.__path__[0]) / "data"
    for path in (data / file for file in trained_on if (data / file).is_file()):
        assert path.stem.endswith("_train")
        trained = pl.read_parquet(path)
        if "event_id" in trained.columns:
            assert ids.isdisjoint(trained["event_id"])


def test_customers_of_the_default_demo_are_not_those_of_training(fed: dict[str, DemoInputs]) -> None:
    """Their file has no event ids before it is mapped; the customer's number tells them apart."""
    trained = pl.read_parquet(Path(stream.demo.__path__[0]) / "data" / "cards_train.parquet")["id"].cast(pl.String)
    shown = pl.read_parquet(fed["default"].inputs[0].file)["account_id"]
    assert set(shown).isdisjoint(trained)
    assert len(fed["default"].labels) == shown.n_unique() == 4_800


def test_the_market_demo_shows_nothing_after_2008(fed: dict[str, DemoInputs]) -> None:
    """Later closes are kept to judge by; who has looked at them cannot judge."""
    ids = pl.read_parquet(fed["market"].inputs[0].file)["event_id"]
    assert ids.str.slice(-10).max() == "2008-12-31"
    last = {int(pl.read_parquet(each.file)["occurred_at_ms"].max()) for each in fed["market"].inputs}  # type: ignore[arg-type]
    assert last == {1_230_757_200_000}, "16:00 in New York on 2008-12-31"


def test_value_at_risk_is_held_against_the_next_return_and_cold_forecasts_do_not_count(
    fed: dict[str, DemoInputs],
) -> None:
    """Held against its own day's return a forecast would know what it foretells."""
    use, inputs = uses()["market"], fed["market"]
    bars = pl.read_parquet(inputs.inputs[0].file).filter(pl.col("symbol") == "AAPL")
    closes = bars["close"].to_list()
    worst = min(range(1, len(closes)), key=lambda place: closes[place] / closes[place - 1])
    said = {"volatility": (2.0,), "value_at_risk": (-99.0, -99.5), "expected_shortfall": (-99.1, -99.6)}
    optimist = said | {"value_at_risk": (-0.5, -1.0), "expected_shortfall": (-0.6, -1.1)}
    scores = {}
    for place, event_id in enumerate(bars["event_id"]):
        outputs, flags = optimist if place == worst - 1 else said, COLD if place < 60 else WARM
        scores[event_id] = score("bar_volatility", event_id, outputs=outputs, flags=flags)
    assert worst > 60
    judged = use.judge(Returned(inputs, {"bar_volatility": scores}, ()))
    days = len(closes) - 61
    own = {name: value for name, value in judged.figures.items() if not name.startswith("portfolio_")}
    assert own == {
        "days": days, "exceeded_share_95": round(1 / days, 4), "exceeded_share_99": round(1 / days, 4), "crossed": 0,
    }  # fmt: skip
    assert all("portfolio_risk" in problem for problem in judged.problems), "nobody has scored the portfolios"


def test_value_at_risk_of_a_portfolio_is_held_against_its_next_return_as_the_event_says_it(
    fed: dict[str, DemoInputs],
) -> None:
    """A portfolio's event brings its return along: 100 times of it is the percent that the forecast is about."""
    events = pl.read_parquet(fed["market"].inputs[1].file).filter(pl.col("portfolio_id") == "equal")
    returns = events["simple_return"].to_list()
    limit = -100 * sorted(abs(value) for value in returns[61:] if value < 0)[-5]
    said = {"volatility": (2.0,), "value_at_risk": (limit, 2 * limit), "expected_shortfall": (2 * limit, 3 * limit)}
    scores = {
        event_id: score("portfolio_risk", event_id, outputs=said, flags=COLD if place < 60 else WARM)
        for place, event_id in enumerate(events["event_id"])
    }
    judged = uses()["market"].judge(Returned(fed["market"], {"portfolio_risk": scores}, ()))
    days = len(returns) - 61
    assert judged.figures["portfolio_days"] == days
    assert judged.figures["portfolio_exceeded_share_95"] == round(4 / days, 4), "four losses are greater than the fifth"


def test_a_forecast_that_contradicts_itself_is_a_problem(fed: dict[str, DemoInputs]) -> None:
    """A loss at 99 % smaller than that at 95 % cannot be."""
    bars = pl.read_parquet(fed["market"].inputs[0].file).filter(pl.col("symbol") == "KO")
    crossing = {"volatility": (2.0,), "value_at_risk": (-50.0, -40.0), "expected_shortfall": (-51.0, -52.0)}
    scores = {event_id: score("bar_volatility", event_id, outputs=crossing) for event_id in bars["event_id"]}
    judged = uses()["market"].judge(Returned(fed["market"], {"bar_volatility": scores}, ()))
    assert [problem for problem in judged.problems if "contradict" in problem]


def test_probabilities_that_rank_wrongly_or_are_too_high_are_problems(fed: dict[str, DemoInputs]) -> None:
    """A demo that praises any model would show nothing."""
    inputs, judge = fed["default"], uses()["default"].judge

    def judged(value_of: dict[int, float]) -> list[str]:
        scores = {each: score("card_default", each, value_of[label]) for each, label in inputs.labels.items()}
        return list(judge(Returned(inputs, {"card_default": scores}, ())).problems)

    assert judged({0: 0.0, 1: 1.0}) == []
    assert "AUC is 0.000" in judged({0: 0.25, 1: 0.0})[0]
    assert "80.0% were said" in judged({0: 0.75, 1: 1.0})[0]


def test_frauds_that_are_not_found_and_too_many_alerts_are_problems(fed: dict[str, DemoInputs]) -> None:
    """Both are easy to avoid alone: by alerting everything, or nothing."""
    inputs, judge = fed["crime"], uses()["crime"].judge
    ids = pl.read_parquet(inputs.inputs[0].file)["event_id"].to_list()

    def problems(alerted: set[str]) -> list[str]:
        scores = {each: score("payment_anomaly", each, 0.99 if each in alerted else 0.1) for each in ids}
        return list(judge(Returned(inputs, {"payment_anomaly": scores}, ())).problems)

    assert problems(set(inputs.injected)) == []
    assert "0 of 74 injected frauds" in problems(set())[0]
    assert "100.0% of the payments" in problems(set(ids))[0]


@pytest.mark.parametrize("name", uses())
def test_a_use_of_which_nothing_came_back_is_not_good_and_can_be_told(name: str, fed: dict[str, DemoInputs]) -> None:
    """The worker may have refused everything; the end must say so, not break."""
    judged = uses()[name].judge(Returned(fed[name], {}, ()))
    assert judged.problems
    assert judged.shown


def test_an_unknown_use_is_refused_with_those_there_are() -> None:
    """Whoever mistypes a name reads which there are."""
    with pytest.raises(JobFailed, match=f"no use 'markt'; the demo shows {', '.join(uses())}"):
        use_named("markt")


@pytest.mark.parametrize(("content", "said"), [("USE = 1", "USE is a int"), ("", "has no attribute 'USE'")])
def test_a_broken_declaration_names_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, said: str
) -> None:
    """Whoever adds a use reads which file is wrong."""
    name = f"broken_{len(content)}"
    (tmp_path / f"{name}.py").write_text(content)
    monkeypatch.setattr(stream.demo.uses, "__path__", [str(tmp_path)])
    uses.cache_clear()
    try:
        with pytest.raises(BrokenDeclaration, match=f"stream/demo/uses/{name}.py.*{said}"):
            uses()
    finally:
        uses.cache_clear()


def test_uses_need_no_torch() -> None:
    """Worker, replay and demo run without the training extra."""
    code = (
        "import sys, stream.demo.command; from stream.demo.use_catalog import uses; uses(); "
        "sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
