"""What workers read: the topics of their scorers, and the views over each."""

from collections.abc import Mapping

from schemas.catalog import event_types
from schemas.codec import EventDecoder
from scoring.features.spec import FeatureView
from scoring.scorer import Scorer
from stream.settings import Settings


def make_decoders(settings: Settings, scorers: Mapping[str, Scorer]) -> dict[str, EventDecoder]:
    """A decoder for every input topic of the scorers."""
    return {
        topic: EventDecoder(event_types()[topic], strict=settings.strict) for topic in input_topics(scorers)
    }


def input_topics(scorers: Mapping[str, Scorer]) -> list[str]:
    """The topics that a worker reads: those whose records it scores, and those that they are passed on from."""
    return sorted({view.event.topic for scorer in scorers.values() for view in scorer.needed_views})


def views_on(scorers: Mapping[str, Scorer], topic: str) -> list[FeatureView]:
    """The views that are folded over a topic, for its own scorers and for those of internal topics."""
    needed = [view for scorer in scorers.values() for view in scorer.needed_views]
    return list({view.name: view for view in needed if view.event.topic == topic}.values())
