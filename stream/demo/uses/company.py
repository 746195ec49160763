"""Default risk of companies: the probability of bankruptcy five years after a statement, and what a refusal would say."""

from datetime import UTC, datetime
from pathlib import Path

from schemas.catalog import event_types
from scoring.files import read_events, read_mapping
from stream.demo.inputs import DemoInputs, shipped, write_input
from stream.demo.probabilities import Aims, judge_probabilities
from stream.demo.use import Judged, Returned, Use

SCORER = "company_default"
TOPIC = "company-statements"
FILE = "company_statements.parquet"
RAW = "statements.parquet"
HISTORY = 100
"""Statements that go in at full speed first; the others at a steady rate."""

AIMS = Aims(
    scorer=SCORER, who="companies", what="go bankrupt", edges=(0.0, 0.02, 0.05, 0.1, 0.3, 1.0), least_auc=0.85,
    most_off=0.03,
)  # fmt: skip


def inputs(folder: Path) -> DemoInputs:
    """Statements of companies the model was not trained on, and which were bankrupt five years later."""
    raw = folder / RAW
    shipped("statements_demo").write_parquet(raw)
    (chunk,) = read_events([raw], read_mapping("polish_bankruptcy"), event_types()[TOPIC])
    assert chunk.labels is not None  # the mapping names them
    events = chunk.frame
    live_from = datetime.fromtimestamp(events["occurred_at_ms"][HISTORY] / 1_000, UTC)
    known = events.select("event_id").with_columns(label=chunk.labels).drop_nulls("label")
    return DemoInputs(
        inputs=(write_input(folder / FILE, TOPIC, events, live_from),),
        labels=dict(known.iter_rows()),
    )


def judge(returned: Returned) -> Judged:
    """How well the probabilities tell which go bankrupt, whether they hold, and why the likeliest would be refused."""
    return judge_probabilities(returned, AIMS)


USE = Use(
    about="default risk: statements of 1,200 companies, through a real Kafka and Redis",
    scorers=(SCORER,),
    inputs=inputs,
    judge=judge,
    replayed=FILE,
)
