"""Trains a model for a protocol and scores rows with its exported graph: what a live worker would say."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.engine import DECIMALS
from scoring.model.manifest import MODEL_FILE, OUTPUTS_FILE, Manifest, TrainingSpan, signature_of
from scoring.model.rows import Rows
from scoring.model.session import Graph, Session
from scoring.scorer import Scorer
from training.classical import ClassifierModel
from training.dataset import Dataset
from training.errors import TrainingRefused
from training.evaluation import score_rows
from training.export import TorchModel
from training.loop import seed_everything
from training.making import part_of
from training.scaling import baseline_quantiles
from training.trainer import Model, Part, SpeakingModel, Trainer, trainer_named


def scores_of(
    scorer: Scorer,
    trainer_name: str,
    dataset: Dataset,
    *,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    test: NDArray[np.int64],
    seed: int,
) -> NDArray[np.float64]:
    """Scores of the test rows by a model of the other two parts, as its ONNX graph gives them, float64[n].

    Args:
        train, validation, test: row numbers; validation is what the trainer may stop and calibrate on.

    Raises:
        TrainingRefused: the trainer refuses the rows.
    """
    session = session_of(scorer, trainer_name, dataset, train=train, validation=validation, seed=seed)
    return scores_by(session, dataset.rows.take(test))


def session_of(
    scorer: Scorer,
    trainer_name: str,
    dataset: Dataset,
    *,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    seed: int,
) -> Session:
    """The exported model of a trainer for these rows."""
    model, part, manifest = _fitted(scorer, trainer_name, dataset, train, validation, seed=seed)
    signature = signature_of(manifest.features, manifest.history_features, manifest.history_length)
    few = part.validation.take(slice(0, 8))
    if isinstance(model, TorchModel | ClassifierModel):  # the other graph takes as long again to make
        graph = model.score_graph(few, signature)
    else:
        graph = model.graphs(few, signature)[0]
    return Session(Path(trainer_name), {MODEL_FILE: graph}, manifest)


def said_by(
    scorer: Scorer,
    trainer_name: str,
    dataset: Dataset,
    *,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    test: NDArray[np.int64],
    seed: int,
) -> NDArray[np.float64]:
    """Named outputs of the test rows by a model of the other two parts, as they would be published, float64[n, W].

    Raises:
        TrainingRefused: the trainer refuses the rows, or its models say nothing beside a score.
    """
    if not trainer_named(trainer_name).outputs:
        raise TrainingRefused(f"trainer {trainer_name} has no named outputs; this protocol judges what they forecast")
    model, part, manifest = _fitted(scorer, trainer_name, dataset, train, validation, seed=seed)
    signature = signature_of(manifest.features, manifest.history_features, manifest.history_length)
    raw = cast(SpeakingModel, model).outputs_graph(part.validation.take(slice(0, 8)), signature)
    graph = Graph(raw, Path(trainer_name) / OUTPUTS_FILE, manifest=manifest, output="outputs")
    said: NDArray[np.float64] = graph.run(dataset.rows.take(test)).astype(np.float64)
    return np.round(said, DECIMALS)


def _fitted(
    scorer: Scorer, trainer_name: str, dataset: Dataset, train: NDArray[np.int64], validation: NDArray[np.int64], *,
    seed: int,
) -> tuple[Model, Part, Manifest]:  # fmt: skip
    """A trained model, the rows it had, and the manifest that its graphs are loaded with."""
    trainer = trainer_named(trainer_name)
    config = msgspec.structs.replace(trainer.defaults, seed=seed)
    seed_everything(seed)
    part = part_of(dataset, train, validation, trainer, config)
    trained = trainer.fit(scorer.view, part, config, lambda *_: None)
    return trained.model, part, _manifest(replace(scorer, trainer=trainer_name), trainer, part.train)


def scores_by(session: Session, rows: Rows) -> NDArray[np.float64]:
    """Scores of rows as they would be published, float64[n]."""
    scores: NDArray[np.float64] = score_rows(session, rows).astype(np.float64)
    return np.round(scores, DECIMALS)


def _manifest(scorer: Scorer, trainer: Trainer, rows: Rows) -> Manifest:
    """What loading needs to know; nothing of it is written."""
    view = scorer.view
    history = view.history if "history" in trainer.inputs else None
    quantiles = baseline_quantiles(rows.features)
    return Manifest(
        scorer=scorer.name, trainer=scorer.trainer, score_kind=trainer.score_kind,
        meaning=trainer.meaning_of(scorer.outcome), view=view.name, view_digest=view.digest,
        features=view.feature_names, inputs=trainer.inputs,
        history_features=history.features if history else (), history_length=history.length if history else 0,
        contributions=trainer.contributions, outputs=trainer.outputs,
        baseline=dict(zip(view.feature_names, quantiles, strict=True)),
        thresholds={}, metrics={}, libraries={}, files={},
        training=TrainingSpan(
            data=(), licence="", rows=len(rows), first_event_ms=0, last_event_ms=0, seed=0, arguments={}
        ),
    )  # fmt: skip
