"""Every knob of a training as one frozen value; it is written into the manifest."""

from typing import Literal

import msgspec

Optimiser = Literal["adamw", "adam", "sgd"]
Schedule = Literal["cosine", "constant"]


class TrainingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is trained; each trainer has its own defaults.

    Attributes:
        seed: of every random choice.
        epochs: most passes over the training rows; early stopping may end sooner.
        batch_rows: rows of a mini-batch.
        optimiser: `adamw` (Loshchilov, Hutter 2019), `adam` or `sgd` with momentum.
        learning_rate, momentum, weight_decay: of the optimiser; momentum counts for `sgd` only.
        schedule: `cosine` lets the learning rate fall to zero over all epochs after a linear warm-up.
        warm_up_share: share of all steps in which the learning rate rises from zero.
        gradient_clip: greatest norm of the gradient.
        dropout: share of hidden units left out per step.
        noise: standard deviation of noise added to standardised inputs.
        feature_dropout: share of input values hidden per step; the model learns to tell them from the others.
        patience: epochs without a better validation loss before training stops.
        widths: hidden widths, outermost first; the last one is the bottleneck or the state.
        past_steps: steps of the vector history a sequence model looks back on; a multiple of 16.
        most_rows: training keeps every k-th row of more than this many.
        train_share, validation_share: shares of the time span; the rest is the test part.
        gap_ms: event time left out between the parts; None takes 1 % of the span, at most the view's horizon.
        watch, alert: suggested thresholds; a share of one minus each of normal events lies above.
    """

    seed: int = 7
    epochs: int = 30
    batch_rows: int = 512
    optimiser: Optimiser = "adamw"
    learning_rate: float = 3e-3
    momentum: float = 0.9
    weight_decay: float = 1e-4
    schedule: Schedule = "cosine"
    warm_up_share: float = 0.05
    gradient_clip: float = 1.0
    dropout: float = 0.0
    noise: float = 0.1
    feature_dropout: float = 0.3
    patience: int = 6
    widths: tuple[int, ...] = (64, 16)
    past_steps: int = 16
    most_rows: int = 300_000
    train_share: float = 0.65
    validation_share: float = 0.2
    gap_ms: int | None = None
    watch: float = 0.98
    alert: float = 0.995
    device: str = "cpu"
