"""What the demo feeds: the shipped files, the injected frauds, and a history long enough to judge by."""

from pathlib import Path

import polars as pl
import pytest

from stream.demo.frauds import PREFIX
from stream.demo.inputs import CLOSES, PAYMENTS, DemoInputs, write_inputs


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> DemoInputs:
    """Written once for all tests of this file."""
    return write_inputs(tmp_path_factory.mktemp("demo"))


def test_both_topics_are_fed_with_history_and_a_steady_part(inputs: DemoInputs) -> None:
    """A latency measured on ten events, or accounts without past, would show nothing."""
    assert [each.topic for each in inputs.inputs] == [PAYMENTS, CLOSES]
    for each in inputs.inputs:
        assert each.rows == pl.read_parquet(each.file).height
        assert each.history > 4_000
        assert each.rows - each.history > 4_000


def test_rows_are_in_order_so_that_history_lies_before_the_steady_part(inputs: DemoInputs) -> None:
    """Feeding the future first would make the past late."""
    for each in inputs.inputs:
        assert pl.read_parquet(each.file)["occurred_at_ms"].is_sorted()


def test_the_injected_ids_are_exactly_the_marked_rows(inputs: DemoInputs) -> None:
    """What is counted as found must be what was put in."""
    ids = pl.read_parquet(inputs.inputs[0].file)["event_id"]
    assert inputs.injected == set(ids.filter(ids.str.starts_with(PREFIX)))


def test_orders_of_history_and_rest_cover_every_row_once(inputs: DemoInputs) -> None:
    """An event fed twice would be a dead letter, one not fed a gap in its account's history."""
    for each in inputs.inputs:
        orders = each.order(limit=each.history), each.order(from_row=each.history)
        fed = [
            event_id for order in orders for chunk in order.chunks() for event_id in chunk.frame["event_id"]
        ]
        assert fed == pl.read_parquet(each.file)["event_id"].to_list()


def test_the_same_inputs_are_written_every_time(inputs: DemoInputs, tmp_path: Path) -> None:
    """The figures of two demos can be compared only if they were fed the same."""
    again = write_inputs(tmp_path)
    for one, other in zip(inputs.inputs, again.inputs, strict=True):
        assert pl.read_parquet(one.file).equals(pl.read_parquet(other.file))
