"""Surprise of a return under yesterday's forecast of its distribution; for scorers over returns with history."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scoring.features.of_returns import return_of
from scoring.features.spec import FeatureView
from scoring.model.manifest import Contributions, NamedOutput
from scoring.model.rows import Rows
from training.config import TrainingConfig
from training.errors import TrainingRefused
from training.export import TorchSpeakingModel
from training.groups import usual_values
from training.loop import Report, fit
from training.networks.ablation import Ablation
from training.networks.johnson import Johnson
from training.networks.return_forecast import ReturnForecaster
from training.networks.return_surprise import LEVELS, ReturnSurprise
from training.trainer import Part, Trained, Trainer, in_parts, tensors

LEAST_PAST = 10
LEAST_ROWS = 200
PRIOR_LOSSES = 20.0  # losses as forecast that are put to those that were: few of them say little
MOST_BEYOND = 2.0
MOST_TIMES = 10.0  # a loss over its forecast; the first move of a price that stood still is 1,500 times of it
_PART = 16_384


def train(view: FeatureView, part: Part, config: TrainingConfig, report: Report) -> Trained:
    """The forecaster of greatest likelihood; loss: minus the log density of the next return in its unit.

    Raises:
        TrainingRefused: the view keeps no history of a return and its long-run spread, or too few rows have a past.
    """
    if view.history is None or return_of(view) is None:
        raise TrainingRefused(
            f"view {view.name} keeps no history of a return and its long-run spread; train a scorer over bar_activity or "
            "portfolio_activity, or declare the view's history with scoring/features/of_returns.py"
        )
    of_return, spread = (view.feature_names.index(name) for name in view.history.features[:2])
    network = ReturnForecaster(config.past_steps, config.widths[-1], config.dropout)
    usual = usual_values(view, part.train.features)[[of_return]]
    model = ReturnSurprise(
        network, Ablation([np.zeros(1, np.int64)], usual), past_steps=config.past_steps,
        of_return=0, of_spread=1, feature=of_return, features=len(view.feature_names),
    )  # fmt: skip
    spreads = part.train.features[:, spread]
    if (spreads > 0).any():
        model.usual.fill_(float(np.median(spreads[spreads > 0])))
    train_rows, validation_rows = _examples(model, part.train), _examples(model, part.validation)
    for name, rows in (("train", train_rows), ("validation", validation_rows)):
        if len(rows[0]) < LEAST_ROWS:
            raise TrainingRefused(
                f"the {name} part has {len(rows[0])} bars behind at least {LEAST_PAST} returns, fewer than {LEAST_ROWS}; "
                "give more bars"
            )

    def loss(inputs: tuple[Tensor, ...], generator: torch.Generator | None) -> Tensor:
        past, valid, value = inputs  # (batch, step) twice, (batch)
        location, log_variance, shape = network(past, valid)
        nats = shape.nats((value - location) * torch.exp(-0.5 * log_variance))
        return (nats + 0.5 * log_variance).mean()

    curve = fit(network, loss, train_rows, validation_rows, config, report)
    model.beyond.copy_(_beyond(network, [torch.cat(both) for both in zip(train_rows, validation_rows, strict=True)]))
    return Trained(TorchSpeakingModel(model.eval()), curve, lambda rows, _: _squared_error(model, rows))


@torch.no_grad()
def _examples(model: ReturnSurprise, rows: Rows) -> list[Tensor]:
    """Past returns, which are known, and the return behind them in their unit, where the past is long enough."""
    found = []
    for each in in_parts(rows):
        inputs = tensors(each, model.inputs)
        past, valid, unit = model.past(inputs[0], inputs[1], 1)
        value, there = model.own(*inputs)
        kept = (there > 0) & (valid.sum(dim=1) >= LEAST_PAST)
        found.append((past[kept], valid[kept], (value / unit)[kept]))
    return [torch.cat(parts) for parts in zip(*found, strict=True)]


@torch.no_grad()
def _beyond(network: ReturnForecaster, rows: Sequence[Tensor]) -> Tensor:
    """How much larger than forecast the mean of the returns below value at risk was, per level, at least 1.

    Errors of training count too: the network has few parameters for its rows, and losses that large are rare
    (decision 32). The second is at least the first, so that the shortfalls do not cross.
    """
    past, valid, value = rows
    parts = [network(*each) for each in zip(past.split(_PART), valid.split(_PART), strict=True)]
    location, log_variance, skew, peak = (
        torch.cat(column)
        for column in zip(*((found[0], found[1], found[2].skew, found[2].peak) for found in parts), strict=True)
    )
    apart, shape = (value - location) * torch.exp(-0.5 * log_variance), Johnson(skew, peak)
    factors: list[float] = []
    for level in LEVELS:
        below = apart < shape.quantile(level)
        ratios = (apart / shape.mean_below(level))[below].clamp(max=MOST_TIMES)
        factor = (float(ratios.double().sum()) + PRIOR_LOSSES) / (len(ratios) + PRIOR_LOSSES)
        factors.append(min(max(1.0, factor, *factors), MOST_BEYOND))
    return torch.tensor(factors)


@torch.no_grad()
def _squared_error(model: ReturnSurprise, rows: Rows) -> NDArray[np.float32]:
    found = [model.normal(*tensors(each, model.inputs)).square() for each in in_parts(rows)]
    result: NDArray[np.float32] = torch.cat(found).numpy()
    return result


TRAINER = Trainer(
    inputs=("history",),
    meaning=(
        "one minus the two-sided p-value of the period's return under the distribution that a convolutional network "
        "forecast from the returns before it"
    ),
    contributions=Contributions(
        method="the return is all that is scored: what is lost when it becomes usual",
        explains="-ln(1 - score), less that of the same with a usual return",
    ),
    error="standard normal variable that stands for the return under the forecast",
    defaults=TrainingConfig(widths=(32,), past_steps=64, epochs=6, learning_rate=3e-3, dropout=0.0, noise=0.0),
    fit=train,
    outputs=(
        NamedOutput(name="volatility", unit="percent", horizon="next period"),
        NamedOutput(name="value_at_risk", unit="percent", horizon="next period", axis="level", labels=("0.95", "0.99")),
        NamedOutput(
            name="expected_shortfall", unit="percent", horizon="next period", axis="level", labels=("0.95", "0.99")
        ),
    ),
)
