"""The whole model over `history` and `lengths`: window, preparation, forecast, surprise, calibration."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from training.networks.ablation import Ablation
from training.networks.calibration import Calibration
from training.networks.preparation import Preparation
from training.networks.step_preparation import StepPreparation
from training.networks.surprise import total_surprise
from training.networks.tail import TailSurprise


class SequenceSurprise(nn.Module):
    """Surprise of the last vector of a history, given the vectors before it.

    An entity's first vector is compared with what the network expects of a start; no vector scores lowest.
    """

    inputs = ("history", "lengths")
    places: Tensor
    valid: Tensor
    exists: Tensor
    judged: Tensor | None

    def __init__(
        self,
        preparation: Preparation,
        network: nn.Module,
        upper: Tensor,
        ablation: Ablation,
        *,
        past_steps: int,
        places: Sequence[int],
        judged: Tensor | None = None,
    ) -> None:
        """The model around a forecaster.

        Args:
            upper: bool (width), features of which only larger values than expected count.
            ablation: over the features of the history.
            past_steps: steps the forecaster reads, a multiple of 16.
            places: for every feature of the view the column of the history it is, or -1.
            judged: float (width), 1 for the features whose surprise counts, else 0; what is extreme by itself then
                counts too, however well it was forecast. Without it all errors count, and only errors.
        """
        super().__init__()
        self.preparation = preparation
        self.network = network
        self.tail = TailSurprise(upper)
        self.value_tail = None if judged is None else TailSurprise(upper)
        self.register_buffer("judged", judged)
        self.calibration = Calibration()
        self.ablation = ablation
        self.past_steps = past_steps
        self.step_preparation = StepPreparation(preparation, past_steps)
        valid = torch.ones(past_steps + 1, past_steps).tril(-1).flip(1)  # (steps before, step), the latest last
        self.register_buffer("valid", valid)
        self.register_buffer("exists", valid.repeat_interleave(preparation.features, dim=1))
        spread = torch.zeros(preparation.width, len(places))
        for feature, place in enumerate(places):
            if place >= 0:
                spread[place, feature] = 1.0
        self.register_buffer("places", spread)

    def past(self, history: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The steps before the last valid one: values and mask, (batch, step, feature), and which exist, (batch, step).

        Args:
            history: (batch, step, feature), valid steps first.
            lengths: int32 (batch), valid steps.
        """
        last = lengths.to(torch.int64) - 1  # (batch)
        behind = torch.arange(-self.past_steps, 0, device=history.device)  # (past)
        raw = steps_at(history, last[:, None] + behind)  # (batch, past, feature)
        before = last.clamp(0, self.past_steps)  # (batch)
        exists = nn.functional.embedding(before, self.exists)  # (batch, past x feature)
        standard, present = self.step_preparation(raw, exists)
        return standard, present, nn.functional.embedding(before, self.valid)

    def own(self, history: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The last valid step: values and mask, (batch, width); the mask is 0 where there is no step."""
        standard, present = self.preparation(steps_at(history, lengths.to(torch.int64) - 1))
        return standard, present * (lengths > 0).to(present.dtype)[:, None]

    def forecast(self, history: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Mean and log-variance of the last vector, the vector itself and its mask, (batch, width) each."""
        mean, log_variance = self.network(*self.past(history, lengths))
        return mean, log_variance, *self.own(history, lengths)

    def errors(self, history: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Standardised forecast error and mask of the last vector, (batch, width) each."""
        mean, log_variance, standard, present = self.forecast(history, lengths)
        return (standard - mean) * torch.exp(-0.5 * log_variance), present

    def nats(self, history: Tensor, lengths: Tensor) -> Tensor:
        """Surprise per feature of the history in nats, (batch, width)."""
        mean, log_variance, standard, present = self.forecast(history, lengths)
        return self.surprise((standard - mean) * torch.exp(-0.5 * log_variance), standard, present)

    def surprise(self, error: Tensor, standard: Tensor, present: Tensor) -> Tensor:
        """Nats of forecast errors, values and mask, (batch, width) each."""
        nats = self.tail(error, present)
        if self.value_tail is None or self.judged is None:
            return nats
        return torch.maximum(nats, self.value_tail(standard, present)) * self.judged

    def total(self, history: Tensor, lengths: Tensor) -> Tensor:
        """Total surprise, (batch)."""
        return total_surprise(self.nats(history, lengths))[0]

    def forward(self, history: Tensor, lengths: Tensor) -> Tensor:
        """The score, (batch)."""
        return self.calibration(self.total(history, lengths))

    def contributions(self, history: Tensor, lengths: Tensor) -> Tensor:
        """Shares of minus log p, (batch, feature): they sum to -log(1 - score) less that of a usual last vector.

        What came before stays as it is. 0 for features without history.
        """
        mean, log_variance, standard, present = self.forecast(history, lengths)
        error = (standard - mean) * torch.exp(-0.5 * log_variance)  # (batch, width)
        _, share = total_surprise(self.surprise(error, standard, present))
        raw = steps_at(history, lengths.to(torch.int64) - 1)  # (batch, feature of the history)
        standard, present = self.preparation(self.ablation.variants(raw))  # (batch x variant, width)
        times = self.ablation.kept.shape[0]
        exists = (lengths > 0).to(present.dtype)[:, None]
        there = (~torch.isnan(raw)).to(present.dtype) * exists
        mean, spread, exists = (
            each[:, None].expand(-1, times, -1).flatten(0, 1)
            for each in (mean, torch.exp(-0.5 * log_variance), exists)
        )
        total = total_surprise(self.surprise((standard - mean) * spread, standard, present * exists))[0]
        features = self.preparation.features
        shares = self.ablation.contributions(self.calibration.minus_log_p(total), share[:, :features], there)
        return nn.functional.pad(shares, (0, self.preparation.width - features)) @ self.places


def steps_at(history: Tensor, index: Tensor) -> Tensor:
    """Whole steps of every history, (batch, …, feature); index is (batch, …), and outside of it the nearest step.

    They are taken from the flattened history: a tenth of the cost of gathering value by value.
    """
    batch, steps = history.shape[:2]
    first = torch.arange(batch, device=history.device) * steps  # (batch)
    place = first.view(-1, *[1] * (index.ndim - 1)) + index.clamp(0, steps - 1)
    return nn.functional.embedding(place, history.flatten(0, 1))
