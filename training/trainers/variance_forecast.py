"""Surprise of a realised variance under the forecast of the period before; for scorers over variances with history."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scoring.features.spec import FeatureView
from scoring.model.manifest import Contributions, NamedOutput
from scoring.model.rows import Rows
from training.config import TrainingConfig
from training.errors import TrainingRefused
from training.export import TorchSpeakingModel
from training.groups import usual_values
from training.loop import Report, fit
from training.networks.ablation import Ablation
from training.networks.variance_forecast import SPANS, VarianceForecaster
from training.networks.variance_surprise import LEAST_SHARE, MOST_SHARE, Columns, VarianceSurprise
from training.trainer import Part, Trained, Trainer, in_parts, tensors

VARIANCE, RETURN, LONG_RUN = "variance", "log_return", "variance_mean_365d"
CLOCK = ("hour_sine", "hour_cosine", "weekday_sine", "weekday_cosine")
LEAST_PAST = max(SPANS)
LEAST_ROWS = 50


def train(view: FeatureView, part: Part, config: TrainingConfig, report: Report) -> Trained:
    """The forecaster of least loss; loss: minus the log density of the next log variance, and QLIKE of its mean.

    The linear part starts at least squares, as a log-HAR model is fitted; so the network can only stop behind it where
    validation rows deceive.

    Raises:
        TrainingRefused: the view's history lacks what the model reads, or too few rows have a past.
    """
    names = view.history.features if view.history else ()
    missing = [name for name in (VARIANCE, RETURN, LONG_RUN, *CLOCK) if name not in names]
    if missing:
        raise TrainingRefused(
            f"view {view.name} keeps no history of {', '.join(missing)}; train a scorer over variance_activity"
        )
    variance, log_return, long_run = map(names.index, (VARIANCE, RETURN, LONG_RUN))
    columns = Columns(variance, log_return, long_run, tuple(map(names.index, CLOCK)))
    network = VarianceForecaster(config.past_steps, config.widths[-1], config.dropout)
    place = view.feature_names.index(VARIANCE)
    usual = usual_values(view, part.train.features)[[place]]
    model = VarianceSurprise(
        network, Ablation([np.zeros(1, np.int64)], usual), past_steps=config.past_steps, columns=columns, feature=place,
        features=len(view.feature_names),
    )  # fmt: skip
    if usual[0] > 0:
        model.usual.fill_(float(usual[0]))
    train_rows, validation_rows = _examples(model, part.train), _examples(model, part.validation)
    for name, rows in (("train", train_rows), ("validation", validation_rows)):
        if len(rows[0]) < LEAST_ROWS:
            raise TrainingRefused(
                f"the {name} part has {len(rows[0])} periods behind at least {LEAST_PAST} others, fewer than "
                f"{LEAST_ROWS}; give more periods"
            )
    _start(network, train_rows)

    def loss(inputs: tuple[Tensor, ...], generator: torch.Generator | None) -> Tensor:
        past, falls, clock, value = inputs  # (batch, step) twice, (batch, 16), (batch)
        said = network(past, falls, clock)
        nats = said.shape.nats((value - said.mean) * torch.exp(-said.log_spread)) + said.log_spread
        over = value - said.mean - said.lift
        return (nats + torch.exp(over) - over).mean()

    curve = fit(network, loss, train_rows, validation_rows, config, report)
    return Trained(TorchSpeakingModel(model.eval()), curve, lambda rows, _: _squared_error(model, rows))


@torch.no_grad()
def _start(network: VarianceForecaster, rows: list[Tensor]) -> None:
    """Sets the linear part to least squares, and the spread to that of its errors."""
    past, value = rows[0], rows[3].double()
    lags = network.lags(past)[:, : len(SPANS)].double()
    design = torch.cat([lags, torch.ones(len(lags), 1, dtype=torch.float64)], dim=1)
    found = torch.linalg.lstsq(design, value[:, None]).solution[:, 0]
    network.linear[: len(SPANS)] = found[:-1].float()
    network.level.fill_(float(found[-1]))
    errors = value - design @ found
    network.log_spread.fill_(float(torch.log(errors.std().clamp(min=1e-3))))
    network.lift.fill_(float(torch.log(torch.exp(errors).mean()) - 0.5 * errors.var()))


@torch.no_grad()
def _examples(model: VarianceSurprise, rows: Rows) -> list[Tensor]:
    """What the forecaster takes and the log share of the variance behind it, where the past is long enough."""
    found = []
    for each in in_parts(rows):
        inputs = tensors(each, model.inputs)
        past, falls, clock, valid, long_run = model.past(inputs[0], inputs[1], 1)
        value, there = model.own(*inputs)
        kept = (there > 0) & (valid.sum(dim=1) >= LEAST_PAST)
        share = torch.log((value / long_run).clamp(LEAST_SHARE, MOST_SHARE))
        found.append((past[kept], falls[kept], clock[kept], share[kept]))
    return [torch.cat(parts) for parts in zip(*found, strict=True)]


@torch.no_grad()
def _squared_error(model: VarianceSurprise, rows: Rows) -> NDArray[np.float32]:
    found = [model.normal(*tensors(each, model.inputs)).square().clamp(max=100.0) for each in in_parts(rows)]
    result: NDArray[np.float32] = torch.cat(found).numpy()
    return result


TRAINER = Trainer(
    inputs=("history",),
    meaning=(
        "the share of realised variances below the period's one under the distribution that a network, started as a "
        "log-HAR model, forecast from the periods before it"
    ),
    contributions=Contributions(
        method="the variance is all that is scored: what is lost when it becomes usual",
        explains="-ln(1 - score), less that of the period with a usual variance",
    ),
    error="standard normal variable that stands for the variance under the forecast",
    defaults=TrainingConfig(
        widths=(32,), past_steps=64, epochs=30, batch_rows=128, learning_rate=3e-3, dropout=0.1, noise=0.0
    ),
    fit=train,
    outputs=(
        NamedOutput(name="volatility", unit="percent", horizon="next period"),
        NamedOutput(
            name="volatility_exceeded", unit="percent", horizon="next period", axis="level", labels=("0.95", "0.99")
        ),
    ),
)
