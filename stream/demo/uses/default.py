"""Default risk: the probability that a card account does not pay next month, and the reasons a refusal would give."""

from datetime import UTC, datetime
from pathlib import Path

from schemas.catalog import event_types
from scoring.files import read_events, read_mapping
from stream.demo.inputs import DemoInputs, shipped, write_input
from stream.demo.probabilities import Aims, judge_probabilities
from stream.demo.use import Judged, Returned, Use

SCORER = "card_default"
TOPIC = "account-months"
FILE = "account_months.parquet"
RAW = "cards.parquet"
LIVE_FROM = datetime(2005, 9, 30, tzinfo=UTC)
"""The last of six monthly statements: the one whose next month is known."""

AIMS = Aims(
    scorer=SCORER, who="customers", what="default", edges=(0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0), least_auc=0.75,
    most_off=0.03,
)  # fmt: skip


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
    return judge_probabilities(returned, AIMS)


USE = Use(
    about="default risk: 4,800 card customers over six months, through a real Kafka and Redis",
    scorers=(SCORER,),
    inputs=inputs,
    judge=judge,
    replayed=FILE,
)
