"""From a data set to a bundle on disk: split, train, export, evaluate, describe, check."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.files import Chunk
from scoring.metrics import bootstrap, squared_errors
from scoring.model.bundle import Bundle, load_bundle, require_view
from scoring.model.manifest import (
    MANIFEST_FILE,
    Manifest,
    TrainingSpan,
    encode_manifest,
    signature_of,
)
from scoring.scorer import Scorer
from training.card import card_html
from training.config import TrainingConfig
from training.dataset import Dataset
from training.evaluation import Evaluation, evaluate_bundle, score_rows
from training.export import check_parity
from training.fairness import probability_metrics
from training.faithfulness import measure
from training.loop import Report, seed_everything
from training.removed_history import removed_history
from training.scaling import baseline_quantiles
from training.split import Split, default_gap_ms, split_by_order, split_by_time
from training.trainer import Part, Trained, Trainer, graph_files, trainer_named

CARD_FILE = "card.html"
_LIBRARIES = ("torch", "onnx", "onnxscript", "onnxruntime", "numpy", "scikit-learn")


@dataclass(frozen=True, eq=False)
class Made:
    """A finished bundle in its folder, and how it did on the test part."""

    bundle: Bundle
    evaluation: Evaluation


@dataclass(frozen=True)
class Origin:
    """Where the data came from: names of the files without folders, and their licence."""

    data: tuple[str, ...]
    licence: str


def make_bundle(
    scorer: Scorer,
    dataset: Dataset,
    origin: Origin,
    config: TrainingConfig,
    report: Report,
    home: Path,
    *,
    trainer_name: str | None = None,
    faithfulness: bool = False,
    again: Callable[[], Iterable[Chunk]] | None = None,
) -> Made:
    """Trains a bundle and writes it to `home/<digest>/`; equal arguments give equal digests on a machine.

    Args:
        trainer_name: of another trainer than the scorer's, for a challenger.
        faithfulness: whether explanations are held against exact Shapley values, for the card: up to a minute.
        again: reads the events of the data set again, for what the score loses without the past; None leaves that out.

    Raises:
        TrainingRefused: too few rows, or the exported graphs are not the model.
        RefusedBundle: the result breaks a rule of loading.
    """
    seed_everything(config.seed)
    chosen = scorer.chosen if trainer_name in (None, scorer.trainer) else ""
    scorer = replace(scorer, trainer=trainer_name or scorer.trainer)
    trainer, split = trainer_named(scorer.trainer), split_of(dataset, scorer, config)
    part = part_of(dataset, split.train, split.validation, trainer, config)
    trained = trainer.fit(scorer.view, part, config, report)
    manifest = _manifest(scorer, trainer, dataset, split, origin, config)
    manifest = msgspec.structs.replace(
        manifest, metrics=_training_metrics(trained, trainer, dataset, split, config)
    )
    signature = signature_of(manifest.features, manifest.history_features, manifest.history_length)
    files = graph_files(trained.model, trainer, part.validation.take(slice(0, 8)), signature)
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        draft = _write(Path(folder), manifest, files)
        parity = check_parity(trained.model, draft.session, manifest, part.validation)
        evaluation = evaluate_bundle(
            draft, scorer.view, dataset, split, manifest.thresholds, seed=config.seed
        )
        tested = score_rows(draft.session, dataset.rows.take(split.test))
        if faithfulness and draft.session.explains:
            held = measure(draft.session, manifest, scorer.view, dataset.rows.take(split.test), seed=config.seed)
            told = {"faithfulness": msgspec.to_builtins(held)}
            manifest = msgspec.structs.replace(manifest, metrics=manifest.metrics | told)
        if again is not None:
            lost = removed_history(draft.session, dataset, split.test, again(), scorer.view, seed=config.seed)
            told = {"removed_history": lost} if lost else {}
            manifest = msgspec.structs.replace(manifest, metrics=manifest.metrics | told)
        found = _test_metrics(evaluation, parity) | probability_metrics(manifest, dataset, split.test, tested)
        manifest = msgspec.structs.replace(manifest, metrics=manifest.metrics | found)
        card = card_html(manifest, evaluation, trained.curve, tested, chosen=chosen)
        made = _write(Path(folder), manifest, files | {CARD_FILE: card.encode()})
        require_view(made, scorer.view)
        final = home / made.digest
        shutil.rmtree(final, ignore_errors=True)
        shutil.copytree(folder, final)
    final.chmod(0o755)  # the folder for the draft was for its owner only
    return Made(load_bundle(final), msgspec.structs.replace(evaluation, bundle=made.digest))


def part_of(
    dataset: Dataset, train: NDArray[np.int64], validation: NDArray[np.int64], trainer: Trainer, config: TrainingConfig
) -> Part:
    """What a trainer is given of these rows: at most `most_rows` of the first, and labels only where it learns from them.

    Raises:
        TrainingRefused: it learns from labels and has not both classes.
    """
    kept = train[:: max(1, -(-len(train) // config.most_rows))]
    rows, labels = dataset.rows, dataset.labels
    if not trainer.supervised:
        return Part(rows.take(kept), rows.take(validation))
    given = (None, None) if labels is None else (labels[kept], labels[validation])
    return Part(rows.take(kept), rows.take(validation), *given).labelled()


def split_of(dataset: Dataset, scorer: Scorer, config: TrainingConfig) -> Split:
    """The split that training and evaluation share: by time, or in order where all labelled rows are of one time.

    Raises:
        TrainingRefused: a part would have too few rows.
    """
    known = np.flatnonzero(dataset.labels >= 0) if dataset.labels is not None else np.zeros(0, np.int64)
    if trainer_named(scorer.trainer).supervised and len(known) and not np.ptp(dataset.occurred_at_ms[known]):
        return split_by_order(
            known, dataset.occurred_at_ms, train_share=config.train_share, validation_share=config.validation_share
        )
    gap = config.gap_ms
    return split_by_time(
        dataset.occurred_at_ms,
        train_share=config.train_share,
        validation_share=config.validation_share,
        gap_ms=default_gap_ms(dataset.occurred_at_ms, scorer.view.horizon_ms) if gap is None else gap,
    )


def _manifest(
    scorer: Scorer, trainer: Trainer, dataset: Dataset, split: Split, origin: Origin, config: TrainingConfig
) -> Manifest:
    view = scorer.view
    history = view.history if "history" in trainer.inputs else None
    learned = np.concatenate([split.train, split.validation])
    times = dataset.occurred_at_ms[learned]
    rows = baseline_quantiles(dataset.rows.features[split.train])
    return Manifest(
        scorer=scorer.name,
        trainer=scorer.trainer,
        score_kind=trainer.score_kind,
        meaning=trainer.meaning_of(scorer.outcome),
        view=view.name,
        view_digest=view.digest,
        features=view.feature_names,
        inputs=trainer.inputs,
        history_features=history.features if history else (),
        history_length=history.length if history else 0,
        contributions=trainer.contributions,
        outputs=trainer.outputs,
        baseline=dict(zip(view.feature_names, rows, strict=True)),
        thresholds={"watch": config.watch, "alert": config.alert},
        training=TrainingSpan(
            data=origin.data,
            licence=origin.licence,
            rows=len(learned),
            first_event_ms=int(times.min()),
            last_event_ms=int(times.max()),
            seed=config.seed,
            arguments=msgspec.to_builtins(config),
        ),
        metrics={},
        libraries={name: version(name) for name in _LIBRARIES},
        files={},
        permitted_use=scorer.use,
        protected=tuple(sorted(dataset.protected)),
    )


def _training_metrics(
    trained: Trained, trainer: Trainer, dataset: Dataset, split: Split, config: TrainingConfig
) -> dict[str, object]:
    labels = None if dataset.labels is None else dataset.labels[split.test]
    errors = trained.squared_error(dataset.rows.take(split.test), labels).astype(np.float64)
    mean, root = squared_errors(errors)
    entity, curve = dataset.entity[split.test], trained.curve
    steps: dict[str, object] = {} if curve is None else {
        "epochs": len(curve.train),
        "best_epoch": curve.best + 1,
        "validation_loss": round(curve.validation[curve.best], 6),
    }
    return steps | {
        "error": trainer.error,
        "mse": bootstrap(mean, entity, seed=config.seed).rounded(),
        "rmse": bootstrap(root, entity, seed=config.seed).rounded(),
    }


def _test_metrics(evaluation: Evaluation, parity: float) -> dict[str, object]:
    return {
        "parity": float(f"{parity:.1e}"),
        "test_rows": evaluation.rows,
        "test_entities": evaluation.entities,
        "watch_rate": evaluation.watch_rate,
        "alert_rate": evaluation.alert_rate,
        "tail": evaluation.tail,
        "detection": evaluation.detection,
    }


def _write(folder: Path, manifest: Manifest, files: dict[str, bytes]) -> Bundle:
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST_FILE).write_bytes(encode_manifest(msgspec.structs.replace(manifest, files=hashes)))
    return load_bundle(folder)


def names_of(files: Sequence[Path]) -> tuple[str, ...]:
    """The names of the files without their folders, which would differ per machine."""
    return tuple(path.name for path in files)
