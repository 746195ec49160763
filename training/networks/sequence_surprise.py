"""The whole model over `history` and `lengths`: window, preparation, forecast, surprise, calibration."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from training.networks.calibration import Calibration
from training.networks.preparation import Preparation
from training.networks.surprise import total_surprise
from training.networks.tail import TailSurprise


class SequenceSurprise(nn.Module):
    """Surprise of the last vector of a history, given the vectors before it.

    An entity's first vector is compared with what the network expects of a start; no vector scores lowest.
    """

    inputs = ("history", "lengths")
    places: Tensor

    def __init__(
        self,
        preparation: Preparation,
        network: nn.Module,
        upper: Tensor,
        *,
        past_steps: int,
        places: Sequence[int],
    ) -> None:
        """The model around a forecaster.

        Args:
            upper: bool (width), features of which only larger values than expected count.
            past_steps: steps the forecaster reads, a multiple of 16.
            places: for every feature of the view the column of the history it is, or -1.
        """
        super().__init__()
        self.preparation = preparation
        self.network = network
        self.tail = TailSurprise(upper)
        self.calibration = Calibration()
        self.past_steps = past_steps
        spread = torch.zeros(preparation.width, len(places))
        for feature, place in enumerate(places):
            if place >= 0:
                spread[place, feature] = 1.0
        self.register_buffer("places", spread)

    def window(self, history: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The steps up to the last valid one: values, mask (batch, past + 1, width), and which exist.

        Args:
            history: (batch, step, feature), valid steps first.
            lengths: int32 (batch), valid steps.
        """
        behind = torch.arange(-self.past_steps, 1, device=history.device)  # (past + 1)
        index = lengths.to(torch.int64)[:, None] - 1 + behind  # (batch, past + 1)
        valid = (index >= 0).to(history.dtype)  # (batch, past + 1)
        rows = torch.arange(history.shape[0], device=history.device)[:, None] * history.shape[1]
        place = rows + index.clamp(0, history.shape[1] - 1)  # (batch, past + 1)
        # whole steps are taken from the flattened history: a tenth of the cost of gathering value by value
        taken = nn.functional.embedding(place, history.flatten(0, 1))  # (batch, past + 1, feature)
        standard, present = self.preparation(taken)
        return standard * valid[:, :, None], present * valid[:, :, None], valid

    def forecast(self, history: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Mean and log-variance of the last vector, the vector itself and its mask, (batch, width) each."""
        standard, present, valid = self.window(history, lengths)
        mean, log_variance = self.network(standard[:, :-1], present[:, :-1], valid[:, :-1])
        return mean, log_variance, standard[:, -1], present[:, -1]

    def errors(self, history: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Standardised forecast error and mask of the last vector, (batch, width) each."""
        mean, log_variance, standard, present = self.forecast(history, lengths)
        return (standard - mean) * torch.exp(-0.5 * log_variance), present

    def nats(self, history: Tensor, lengths: Tensor) -> Tensor:
        """Surprise per feature of the history in nats, (batch, width)."""
        error, present = self.errors(history, lengths)
        return self.tail(error, present)

    def total(self, history: Tensor, lengths: Tensor) -> Tensor:
        """Total surprise, (batch)."""
        return total_surprise(self.nats(history, lengths))[0]

    def forward(self, history: Tensor, lengths: Tensor) -> Tensor:
        """The score, (batch)."""
        return self.calibration(self.total(history, lengths))

    def contributions(self, history: Tensor, lengths: Tensor) -> Tensor:
        """Minus log p shared out over the view's features, 0 for those without history, (batch, feature)."""
        total, share = total_surprise(self.nats(history, lengths))
        shares = share @ self.places  # (batch, feature)
        return shares * self.calibration.minus_log_p(total)[:, None]
