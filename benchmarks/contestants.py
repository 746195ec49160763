"""The pipelines that are compared, declared: what each of them runs, where it writes, and what it needs.

A pipeline is one entry here, and a module in `benchmarks.competitors` when it is not riskstream.
"""

from dataclasses import dataclass

from schemas.topics import SCORES

SCORER = "payment_anomaly"
SHADOW_SCORER = "payment_attention"
COMPETITORS_OUTPUT = "competitor-scores"
"""Topic of the scores of whoever does not run riskstream's core."""


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One pipeline.

    Attributes:
        name: what `--pipeline` calls it.
        scorers: what it scores each event with.
        processes: how many share the partitions.
        module: what `python -m` runs; empty for riskstream's own worker.
        output: topic of its scores.
        needs: the optional requirement without which it is left out, as pip takes it.
        features: how many of the view's features it computes, `all` or `two`.
        jdk: whether it needs a Java development kit.
        warm_up_s: how long it is left alone after its first output before it is measured.
        unlike: why its scores are not compared with riskstream's; empty when they are.
    """

    name: str
    scorers: tuple[str, ...] = (SCORER,)
    processes: int = 1
    module: str = ""
    output: str = COMPETITORS_OUTPUT
    needs: str = ""
    features: str = "all"
    jdk: bool = False
    warm_up_s: float = 0.0
    unlike: str = ""

    @property
    def own(self) -> bool:
        """Whether it is riskstream's worker."""
        return not self.module


CONTESTANTS = {
    entry.name: entry
    for entry in (
        Contestant(name="riskstream", output=SCORES),
        Contestant(name="riskstream_two_workers", processes=2, output=SCORES),
        Contestant(name="riskstream_with_shadow", scorers=(SCORER, SHADOW_SCORER), output=SCORES),
        Contestant(name="core_on_aiokafka", module="benchmarks.competitors.core_on_aiokafka", output=SCORES),
        Contestant(
            name="core_on_confluent", module="benchmarks.competitors.core_on_confluent", output=SCORES
        ),
        Contestant(name="faust_take", module="benchmarks.competitors.faust_take"),
        Contestant(name="faust_per_event", module="benchmarks.competitors.faust_per_event"),
        Contestant(
            name="faust_two_features",
            module="benchmarks.competitors.faust_per_event",
            features="two",
            unlike="it gives the model two features and nothing for the others",
        ),
        Contestant(name="quix", module="benchmarks.competitors.quix", needs="quixstreams"),
        Contestant(name="kafka_streams", module="benchmarks.competitors.kafka_streams", jdk=True, warm_up_s=25.0),
        Contestant(name="bytewax", module="benchmarks.competitors.bytewax_flow", needs="bytewax[kafka]"),
    )
}
"""The pipelines by name, in the order in which they run."""

NAMES = tuple(CONTESTANTS)
