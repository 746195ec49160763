"""How likely it is that a price stands still for so long, and that no bar comes for so long, by the symbol's own past."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.networks.sequence_surprise import steps_at
from training.networks.wide import WIDTH, exp, log, softplus

LONG = 1.45  # times the usual gap: from there on a gap is a long one; no feed has gaps of exactly that
PRIOR = 2.0  # bars as usual that are put to a symbol's own: few of them say little
MOST_NATS = 30.0
LEAST_GAP, MOST_GAP = 1e-3, 1e9
MOST_LOGIT, MOST_CORRECTION = 12.0, 2.0
ODDS = 3


class Past(NamedTuple):
    """Of the bars before something: (batch) each, but `stated`, (batch, 16).

    Attributes:
        stated: what the network reads: three log odds with prior counts (that a bar repeats the price behind one that
            moved it, and behind one that repeated it, and that a gap is long), how many bars each rests on, zeros.
        run: bars that repeated the price, the latest ones.
        usual_log: logarithm of the usual gap in seconds, the mean of the logarithms; gaps: on how many it rests.
    """

    stated: Tensor
    run: Tensor
    usual_log: Tensor
    gaps: Tensor


class StandstillOdds(nn.Module):
    """Log odds, (batch, 3), that start as the past's own; a small network each corrects them by at most 2.

    Each reads its own past alone, and cannot go far: feeds of minutes are judged by what was learned from days, and a
    network over all of it took gaps without weekends for something that makes prices stand still (decision 40).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.ModuleList(nn.Linear(WIDTH, width) for _ in range(ODDS))
        self.outer = nn.ModuleList(nn.Linear(width, WIDTH) for _ in range(ODDS))
        for layer in self.outer:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, stated: Tensor) -> Tensor:
        """Log odds of what comes next, (batch, 3); stated is (batch, 16)."""
        found = []
        for place, (inner, outer) in enumerate(zip(self.inner, self.outer, strict=True)):
            own = nn.functional.pad(stated[:, [place, place + ODDS]], (0, WIDTH - 2))  # (batch, 16)
            correction = MOST_CORRECTION * torch.tanh(outer(nn.functional.silu(inner(own))))  # (batch, 16)
            found.append(stated[:, place] + correction[:, 0])
        return torch.stack(found, dim=1).clamp(-MOST_LOGIT, MOST_LOGIT)


class Standstill(nn.Module):
    """The whole model over `history` and `lengths`: minus log p of the run of repeated prices, and of the silence."""

    inputs = ("history", "lengths")
    behind: Tensor
    later: Tensor
    usual: Tensor

    def __init__(
        self, network: StandstillOdds, *, past_steps: int, of_return: int, of_gap: int, places: tuple[int, int],
        features: int,
    ) -> None:  # fmt: skip
        """The model around a network.

        Args:
            past_steps: bars that are looked back on, a multiple of 16.
            of_return, of_gap: columns of the history with the log return and the seconds since the bar before.
            places: in the vector of what speaks for run and silence; features: how wide it is, for contributions.
        """
        super().__init__()
        self.network = network
        self.of_return, self.of_gap, self.features = of_return, of_gap, features
        self.register_buffer("behind", torch.arange(-past_steps, 0))
        self.register_buffer("later", torch.ones(past_steps, past_steps).tril())  # (at or behind, step)
        self.register_buffer("usual", torch.tensor([0.05, 0.2, 0.05]))
        self.register_buffer("places", nn.functional.one_hot(torch.tensor(places), features).float())  # (part, feature)

    def past(self, history: Tensor, end: Tensor) -> Past:
        """What the steps before `end` say; history is (batch, step, feature), valid steps first, end int64 (batch)."""
        index = end[:, None] + self.behind  # (batch, past)
        raw = steps_at(history, index)  # (batch, past, feature)
        exists = (index >= 0).to(raw.dtype)
        returns, gaps = raw[:, :, self.of_return], raw[:, :, self.of_gap]
        still = (returns == 0).to(raw.dtype) * exists
        known = (~torch.isnan(returns)).to(raw.dtype) * exists
        moved_since = (exists - still) @ self.later  # (batch, past), bars at or behind the step that moved the price
        in_run = still * (moved_since == 0).to(raw.dtype)
        judged = nn.functional.pad(exists[:, :-1], (1, 0)) * known * (1.0 - in_run)
        before = nn.functional.pad(still[:, :-1], (1, 0))
        counted = [(judged * (1.0 - before), still), (judged * before, still)]
        has_gap = (gaps > 0).to(raw.dtype) * exists
        logs = torch.where(has_gap > 0, torch.log(gaps.clamp(LEAST_GAP, MOST_GAP)), 0.0)
        number = has_gap.sum(dim=1)
        usual_log = logs.sum(dim=1) / number.clamp(min=1.0)
        counted.append((has_gap, (logs >= (usual_log + math.log(LONG))[:, None]).to(raw.dtype)))
        odds, sizes = [], []
        for place, (where, happened) in enumerate(counted):
            count, times = where.sum(dim=1), (where * happened).sum(dim=1)
            odds.append(log(times + PRIOR * self.usual[place]) - log(count - times + PRIOR * (1.0 - self.usual[place])))
            sizes.append(log(1.0 + count))
        stated = nn.functional.pad(torch.stack(odds + sizes, dim=1), (0, WIDTH - 2 * ODDS))
        return Past(stated, in_run.sum(dim=1), usual_log, number)

    def last(self, history: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return and gap of the last step, NaN where missing, and 1 where it is a question and no bar, (batch) each."""
        own = steps_at(history, lengths.to(torch.int64) - 1)  # (batch, feature)
        returned, gap = own[:, self.of_return], own[:, self.of_gap]
        asked = torch.isnan(returned) & ~torch.isnan(gap) & (lengths > 1)
        return returned, gap, asked.to(history.dtype)

    def parts(self, history: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Minus log p of the bars that repeated the price, and of the silence since the last one, (batch) each."""
        _, gap, asked = self.last(history, lengths)
        past = self.past(history, lengths.to(torch.int64) - asked.to(torch.int64))
        first, again, long = (softplus(-each) for each in self.network(past.stated).unbind(dim=1))
        run = (first + again * (past.run - 1.0)) * (past.run > 0).to(history.dtype)
        gap = torch.where(asked > 0, gap, 1.0).clamp(LEAST_GAP, MOST_GAP)
        over = ((log(gap) - past.usual_log) / math.log(LONG)).clamp(min=0.0)
        silence = long * over * asked * (past.gaps > 0).to(history.dtype)
        return run.clamp(max=MOST_NATS), silence.clamp(max=MOST_NATS)

    def forward(self, history: Tensor, lengths: Tensor) -> Tensor:
        """One minus the probability that nothing moves for so long, (batch)."""
        run, silence = self.parts(history, lengths)
        return (1.0 - exp(-(run + silence))).clamp(0.0, 1.0)

    def contributions(self, history: Tensor, lengths: Tensor) -> Tensor:
        """Shares of minus log p, (batch, feature): the run at the first place, the silence at the second."""
        return torch.stack(self.parts(history, lengths), dim=1) @ self.places
