"""States that were filled before the measured payments."""

from benchmarks.payments import Payments
from benchmarks.states import before, fill
from schemas.events.transaction import EVENT
from scoring.features.frame import batch_of_frame
from scoring.features.table import SCORED, fold_table
from scoring.views.account_activity import VIEW

PAYMENTS = Payments(3, 50)


def test_filled_states_take_the_measured_payments_for_new_ones_that_come_later() -> None:
    """Duplicates and late payments cost less than usual ones and would flatter the figures."""
    known = fill(VIEW, PAYMENTS, 5_000)
    assert len(known.states) == 50 and known.mean_bytes > 1_000
    frame = known.following(PAYMENTS).block(0).head(5_000)
    assert frame["occurred_at_ms"][0] == known.last_ms + PAYMENTS.spacing_ms
    batch = batch_of_frame(EVENT, frame)
    table = fold_table(VIEW, batch, [known.states[account] for account in batch.entities])
    assert (table.status == SCORED).all() and not table.late.any()
    count_30d = VIEW.feature_names.index("count_30d")
    assert (table.vectors[:, count_30d] > 1).all()


def test_the_history_is_the_same_payments_under_other_ids() -> None:
    """Accounts must go on as they were."""
    (frame,) = before(PAYMENTS, 10)
    measured = PAYMENTS.block(0).head(10)
    assert frame.drop("event_id").equals(measured.drop("event_id"))
    assert not set(frame["event_id"]) & set(measured["event_id"])
