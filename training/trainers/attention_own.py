"""Surprise of what an event itself brings, by self-attention over what came before; for a view with history.

Counts, totals and means of a window hold the event and its forerunners alike: they stay extreme long after what
made them so, and each is one more chance to be extreme by accident. Here they are read, from the past vectors, and
not judged. Judged are the event's own numbers, as they are and over the mean of the entity's earlier ones: how far each
lies from its forecast, and how far out it lies by itself.
"""

from functools import partial

from scoring.features.spec import FeatureView
from training.config import TrainingConfig
from training.groups import CONTRIBUTIONS
from training.sequence import train_sequence
from training.trainer import Trainer
from training.trainers import attention


def own(view: FeatureView) -> frozenset[str]:
    """The names of the features that are the event's own numbers, as they are or over the mean of earlier ones.

    A z-score says the same as a ratio, but its unit is a spread, near nothing for an entity of few or like events.

    >>> from scoring.views.account_activity import VIEW
    >>> sorted(own(VIEW))
    ['amount', 'charge_ratio_30d', 'charge_ratio_7d', 'refund_ratio_30d']
    """
    return frozenset(feature.name for feature in view.features if feature.kind in ("value", "ratio"))


TRAINER = Trainer(
    inputs=("history",),
    meaning=(
        "one minus the share of usual events that are at least as surprising; surprise is how far the event's own "
        "numbers, and their ratios to its earlier ones, lie from what self-attention expects after the entity's last "
        "events, or how extreme they are by themselves"
    ),
    contributions=CONTRIBUTIONS,
    error=attention.TRAINER.error,
    defaults=TrainingConfig(widths=(32,), feature_dropout=0.0, noise=0.0, epochs=12),
    fit=partial(train_sequence, build=attention.build, judged=own),
)
