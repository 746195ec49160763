"""Surprise that a price stands still or a feed is silent for so long; for scorers over bars and the gaps between them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scoring.features.spec import FeatureView
from scoring.model.manifest import Contributions
from scoring.model.rows import Rows
from training.config import TrainingConfig
from training.errors import TrainingRefused
from training.export import TorchModel
from training.loop import Report, fit
from training.networks.standstill import LONG, ODDS, Standstill, StandstillOdds
from training.trainer import Part, Trained, Trainer, in_parts, tensors

RETURN, GAP = "log_return", "seconds_since_last"
SPOKEN = "ewma_volatility"  # what a run is said by: a low volatility tells people more than a return of 0
LEAST_PAST = 10
LEAST_ROWS = 200
LEAST_USUAL, MOST_USUAL = 1e-3, 0.5
BEHIND_MOVED, BEHIND_STILL, LONG_GAP = range(ODDS)


def train(view: FeatureView, part: Part, config: TrainingConfig, report: Report) -> Trained:
    """The odds of greatest likelihood; loss: minus the log probability of whether a bar repeats its price and comes late.

    Raises:
        TrainingRefused: the view's history has no return and time since the last bar, or too few rows have a past.
    """
    names = view.history.features if view.history else ()
    if not {RETURN, GAP} <= set(names) or SPOKEN not in view.feature_names:
        raise TrainingRefused(
            f"view {view.name} keeps no history of {RETURN} and {GAP}, or has no {SPOKEN}; train a scorer over "
            "feed_activity"
        )
    network = StandstillOdds(config.widths[-1])
    model = Standstill(
        network, past_steps=config.past_steps, of_return=names.index(RETURN), of_gap=names.index(GAP),
        places=(view.feature_names.index(SPOKEN), view.feature_names.index(GAP)), features=len(view.feature_names),
    )  # fmt: skip
    outcomes = _examples(model, part.train)[1:]
    for place in range(ODDS):
        share = float(outcomes[0][:, place].sum() / outcomes[1][:, place].sum().clamp(min=1.0))
        model.usual[place] = min(max(share, LEAST_USUAL), MOST_USUAL)
    train_rows, validation_rows = _examples(model, part.train), _examples(model, part.validation)
    for name, rows in (("train", train_rows), ("validation", validation_rows)):
        if len(rows[0]) < LEAST_ROWS:
            raise TrainingRefused(
                f"the {name} part has {len(rows[0])} bars behind at least {LEAST_PAST} others, fewer than {LEAST_ROWS}; "
                "give more bars"
            )

    def loss(inputs: tuple[Tensor, ...], generator: torch.Generator | None) -> Tensor:
        stated, happened, known = inputs  # (batch, 16), (batch, odds) twice
        nats = nn.functional.binary_cross_entropy_with_logits(network(stated), happened, reduction="none")
        return (nats * known).sum() / len(stated)

    curve = fit(network, loss, train_rows, validation_rows, config, report)
    return Trained(TorchModel(model.eval()), curve, lambda rows, _: _squared_error(model, rows))


@torch.no_grad()
def _examples(model: Standstill, rows: Rows) -> list[Tensor]:
    """What the network reads of the bars before each bar, what the bar then did, and which of it can be known.

    Of a bar it is known whether it repeats the price behind one that moved it, or behind one that did not, and whether it
    came late; (batch, 16) and twice (batch, 3).
    """
    found: list[tuple[Tensor, ...]] = []
    for each in in_parts(rows):
        history, lengths = tensors(each, model.inputs)
        returned, gap, asked = model.last(history, lengths)
        past = model.past(history, lengths.to(torch.int64) - 1)
        there = ((~torch.isnan(returned)) & (asked == 0) & (gap > 0)).float()
        behind_still = (past.run > 0).float()
        known = torch.stack([there * (1 - behind_still), there * behind_still, there], dim=1)
        still = (returned == 0).float()
        late = (torch.log(gap.clamp(min=1e-3)) >= past.usual_log + float(np.log(LONG))).float()
        happened = torch.stack([still, still, late], dim=1) * known
        kept = (there > 0) & (past.gaps >= LEAST_PAST)
        found.append((past.stated[kept], happened[kept], known[kept]))
    return [torch.cat(parts) for parts in zip(*found, strict=True)]


@torch.no_grad()
def _squared_error(model: Standstill, rows: Rows) -> NDArray[np.float32]:
    found = [sum(model.parts(*tensors(each, model.inputs)), torch.zeros(len(each))) for each in in_parts(rows)]
    result: NDArray[np.float32] = torch.cat(found).numpy()
    return result


TRAINER = Trainer(
    inputs=("history",),
    meaning=(
        "one minus the probability that the symbol's price stands still, or the symbol is silent when asked, for so "
        "long, by what its own last bars did; 0 for a bar that moves the price"
    ),
    contributions=Contributions(
        method=(
            "additive: bars that repeated the price are the volatility's, the silence is the time's since the last one"
        ),
        explains="-ln(1 - score)",
    ),
    error="minus the logarithm of the probability of standing still so long",
    defaults=TrainingConfig(
        widths=(16,), past_steps=64, epochs=12, batch_rows=256, learning_rate=3e-3, noise=0.0, watch=0.999, alert=0.9999
    ),
    fit=train,
)
