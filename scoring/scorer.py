"""A scorer: the feature views it reads, how its model is trained, and its policy."""

from dataclasses import dataclass

from schemas.event import EventType
from scoring.features.spec import FeatureView
from scoring.policy import Policy


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """A declaration; its name is that of its file in `scoring/scorers/`.

    Args:
        use: what it is for, in a few words for people.
        views: the feature view the model reads; a scorer over two entities has that of the second one, which carries
            that of the first.
        trainer: name of the trainer in `training/trainers/`.
        policy: thresholds and cool-down.
        outcome: what label 1 says of an event, and within which time, for the meaning of a probability.
        chosen: why this trainer and no other, a sentence for the model card; empty where nothing was compared.
        adverse_action: whether its alerts are told as principal reasons of a refusal, as lenders have to tell them.
        shadow: scored on the same snapshot as the others, never alerted.
        name: filled in by the catalogue.

    Raises:
        ValueError: not one view.
    """

    use: str
    views: tuple[FeatureView, ...]
    trainer: str
    policy: Policy
    shadow: bool = False
    adverse_action: bool = False
    outcome: str = "label 1"
    chosen: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        if len(self.views) != 1:
            raise ValueError(
                f"a scorer reads one view, was {len(self.views)}; for a second entity declare a view that carries "
                "the first one's, as scoring/views/merchant_activity.py does"
            )

    @property
    def view(self) -> FeatureView:
        """The view whose vector the model reads."""
        return self.views[0]

    @property
    def topic(self) -> str:
        """The topic whose records it scores."""
        return self.view.event.topic

    @property
    def event(self) -> EventType:
        """What people send: the event type whose events it scores, on whichever pass."""
        return self.needed_views[0].event

    @property
    def needed_views(self) -> tuple[FeatureView, ...]:
        """The view, and the one whose features its events bring along."""
        return (self.view,) if self.view.carries is None else (self.view.carries, self.view)
