"""A scorer: the feature views it reads, how its model is trained, and its policy."""

from dataclasses import dataclass

from scoring.features.spec import FeatureView
from scoring.policy import Policy


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """A declaration; its name is that of its file in `scoring/scorers/`.

    Args:
        use: what it is for, in a few words for people.
        views: the feature views the model reads; all of one input topic.
        trainer: name of the trainer in `training/trainers/`.
        policy: thresholds and cool-down.
        shadow: scored on the same snapshot as the others, never alerted.
        name: filled in by the catalogue.

    Raises:
        ValueError: no view, or views of different topics.
    """

    use: str
    views: tuple[FeatureView, ...]
    trainer: str
    policy: Policy
    shadow: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        topics = {view.event.topic for view in self.views}
        if len(topics) != 1 or len(self.views) != 1:
            raise ValueError(
                f"a scorer reads one view of one topic, was {len(self.views)} views of {sorted(topics)}; "
                "several topics or entities need a sequencer"
            )

    @property
    def view(self) -> FeatureView:
        """The view whose vector the model reads."""
        return self.views[0]

    @property
    def topic(self) -> str:
        """The input topic."""
        return self.view.event.topic
