"""What an operator asks of the workers, written to the topic `activations`: another bundle, going on."""

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.activation import Activation, Desired, Resume
from schemas.topics import ACTIVATIONS
from scoring.model.bundle import Bundle
from scoring.scorer import Scorer
from scoring.store.contract import Partition
from stream.broker import required_partitions, unreachable
from stream.bundle_library import BundleLibrary
from stream.errors import JobFailed
from stream.kafka import client_arguments
from stream.settings import Settings
from stream.worker.activation_log import ActivationLog, desired_record, resume_record

ACKNOWLEDGED_WITHIN_MS = 15_000


def usable_bundle(library: BundleLibrary, scorer: Scorer, digest: str | None) -> Bundle:
    """The bundle with this digest, or the one to begin with, checked as a worker would check it.

    Raises:
        JobFailed: no such bundle, or none or several to choose from.
        RefusedBundle: it fails a check, or was made for another view.
    """
    at_hand = library.digests(scorer.name)
    if digest is not None and digest not in at_hand:
        raise JobFailed(
            f"scorer {scorer.name}: no bundle {digest}; at hand are {', '.join(sorted(at_hand)) or 'none'}; "
            "name one of them, or the folder it is in with RISKSTREAM_BUNDLE_DIRS"
        )
    return library.load(scorer, digest or library.champion_digest(scorer))


def require_reasons(scorer: Scorer, bundle: Bundle) -> None:
    """Nothing, when the scorer may raise alerts with this bundle: it gives reasons, and its card does not deny them.

    A bundle whose explanations were never measured is taken; a scorer in shadow needs none.

    Raises:
        JobFailed: it explains nothing, or was measured and its explanations do not hold.
    """
    if scorer.shadow:
        return
    if not bundle.session.explains:
        raise JobFailed(
            f"{scorer.name}: bundle {bundle.digest} explains nothing, and an alert needs its reasons; keep it in a "
            "shadow scorer, or train one that explains (the card says so under Explanation)"
        )
    measured = bundle.manifest.metrics.get("faithfulness")
    if measured is not None and not measured["holds"]:
        raise JobFailed(
            f"{scorer.name}: the explanations of bundle {bundle.digest} do not hold (its card: Whether explanations are "
            "faithful), and an alert needs its reasons; keep it in a shadow scorer, or train one whose explanations hold"
        )


async def ask_for_bundle(settings: Settings, scorer: Scorer, bundle: Bundle) -> Desired:
    """Asks the workers to score with the bundle and the scorer's policy as the code has it; what was written.

    Every worker puts it in force at its next poll, for each of its partitions from the next offset on.

    Raises:
        JobFailed: the broker cannot be reached, or the topic is not there.
    """
    desired = Desired(scorer=scorer.name, bundle=bundle.digest, policy_content=scorer.policy.content)
    await _write(settings, *desired_record(settings, desired))
    return desired


async def ask_to_resume(settings: Settings, partition: Partition, *, asked_at_ms: int) -> Resume:
    """Asks the worker of a partition to go on with it; what was written.

    Args:
        asked_at_ms: only a pause from before this moment is ended.

    Raises:
        JobFailed: the broker cannot be reached, or the topic is not there.
    """
    resume = Resume(topic=partition.topic, partition=partition.index, asked_at_ms=asked_at_ms)
    await _write(settings, *resume_record(settings, resume))
    return resume


async def recorded_activations(settings: Settings) -> ActivationLog:
    """The topic `activations` as of now, for this namespace.

    Raises:
        JobFailed: the broker cannot be reached, or the topic is not there.
    """
    required_partitions(settings, ACTIVATIONS)
    log = ActivationLog(settings)
    try:
        await log.open()
    except KafkaError as error:
        raise JobFailed(unreachable(settings, error)) from None
    finally:
        await log.close()
    return log


def newest(log: ActivationLog, scorer: str) -> list[Activation]:
    """The newest activation of a scorer on each partition, ordered by topic and partition."""
    found = [known[-1] for (name, _), known in log.activations.items() if name == scorer and known]
    return sorted(found, key=lambda activation: (activation.topic, activation.partition))


async def _write(settings: Settings, key: bytes, value: bytes) -> None:
    required_partitions(settings, ACTIVATIONS)
    producer = AIOKafkaProducer(
        **client_arguments(settings), acks="all", request_timeout_ms=ACKNOWLEDGED_WITHIN_MS
    )
    try:
        await producer.start()
        await producer.send_and_wait(ACTIVATIONS, key=key, value=value, partition=0)
    except KafkaError as error:
        raise JobFailed(f"topic {ACTIVATIONS}: {error}; nothing was asked for; try again") from None
    finally:
        await producer.stop()
