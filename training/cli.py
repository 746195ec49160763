"""The commands `riskstream train` and `riskstream evaluate`; torch is imported only when one of them runs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import msgspec
import typer

Files = Annotated[
    list[Path],
    typer.Option("--events", help="Parquet, CSV or JSON lines files, in order of time; repeat for several."),
]
Map = Annotated[
    str | None,
    typer.Option("--map", help="Mapping: a shipped name or a TOML file. Left out: columns are fields."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Gap = Annotated[str | None, typer.Option(help="Event time left out between the parts, such as 7d.")]


def train(
    scorer: Annotated[str, typer.Argument(help="Name of a scorer; `riskstream scorers` lists them.")],
    events: Files,
    map_: Map = None,
    out: Annotated[
        Path, typer.Option(help="Folder of bundles; the new one goes to SCORER/DIGEST below it.")
    ] = Path("bundles"),
    seed: Annotated[int, typer.Option(help="Of every random choice.")] = 7,
    epochs: Annotated[int | None, typer.Option(min=1, help="Most passes over the data.")] = None,
    batch_rows: Annotated[int | None, typer.Option(min=8, help="Rows of a mini-batch.")] = None,
    learning_rate: Annotated[float | None, typer.Option(min=1e-7, max=10.0, help="Of the optimiser.")] = None,
    optimiser: Annotated[
        Literal["adamw", "adam", "sgd"] | None, typer.Option(help="sgd has momentum.")
    ] = None,
    trainer: Annotated[
        str | None, typer.Option(help="Another trainer than the scorer's, for a challenger; one of training/trainers/.")
    ] = None,
    gap: Gap = None,
    licence: Annotated[str, typer.Option(help="Licence of the data, for manifest and card.")] = "unknown",
    faithfulness: Annotated[
        bool, typer.Option(help="Hold the explanations against exact Shapley values, for the card: up to a minute.")
    ] = False,
    device: Annotated[
        Literal["cpu"], typer.Option(help="Where to train; bundles are reproducible on cpu.")
    ] = "cpu",
    json: Json = False,
) -> None:
    """Train a scorer's model on your events and write it as a bundle.

    Example: riskstream train payment_anomaly --events cards.parquet --map handbook_cards --out bundles
    """
    with _refusals():
        from training.making import Origin, make_bundle, names_of
        from training.progress import training_progress
        from training.trainer import trainer_named

        declared = _scorer(scorer)
        chosen = trainer_named(trainer or declared.trainer)
        asked = {
            "seed": seed, "epochs": epochs, "batch_rows": batch_rows, "learning_rate": learning_rate,
            "optimiser": optimiser, "gap_ms": _gap_ms(gap), "device": device,
        }  # fmt: skip
        config = msgspec.structs.replace(
            chosen.defaults,
            watch=declared.policy.watch,
            alert=declared.policy.alert,
            **{name: value for name, value in asked.items() if value is not None},
        )
        dataset = _dataset(declared, events, map_, inputs=chosen.inputs)
        with training_progress(config.epochs, hidden=json) as report:
            origin = Origin(names_of(events), licence)
            made = make_bundle(
                declared, dataset, origin, config, report, out / declared.name, trainer_name=trainer,
                faithfulness=faithfulness,
            )  # fmt: skip
    if json:
        said = {"digest": made.bundle.digest, "folder": str(made.bundle.folder), "rows": len(dataset)}
        typer.echo(msgspec.json.encode(said | {"evaluation": made.evaluation}))
        return
    typer.echo(f"{declared.name}: bundle {made.bundle.digest} in {made.bundle.folder}")
    _show(made.evaluation)
    typer.echo(f"model card: {made.bundle.folder / 'card.html'}")
    typer.echo(f"use it:     RISKSTREAM_BUNDLE_DIRS={out} riskstream scorers")


def evaluate(
    scorer: Annotated[
        str | None, typer.Argument(help="Name of a scorer; `riskstream scorers` lists them. Left out with --protocol.")
    ] = None,
    events: Annotated[
        list[Path] | None,
        typer.Option("--events", help="Parquet, CSV or JSON lines files, in order of time; repeat for several."),
    ] = None,
    map_: Map = None,
    protocol: Annotated[
        str | None,
        typer.Option(help="A shipped protocol's name, or a TOML file: trains and judges its models by fixed rules."),
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Run every shipped protocol whose files are below --data; needs --out.")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="With --all: folder that is searched for the files.")] = None,
    from_: Annotated[
        Path | None, typer.Option("--from", help="With --all: make the page of the JSON files there, and run nothing.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="With --all: folder for index.html and a JSON file per protocol.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Folder of a bundle. Left out: the shipped one.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the resampling and of the baselines.")] = 7,
    gap: Gap = None,
    json: Json = False,
) -> None:
    """Evaluate a bundle on the last part of your events, beside named baselines where the mapping has labels.

    Example: riskstream evaluate payment_anomaly --events cards.parquet --map handbook_cards
    Example: riskstream evaluate --protocol card-default --events uci_default_first_24000.parquet
    """
    if (scorer is not None) + (protocol is not None) + all_ != 1:
        raise typer.BadParameter("give a scorer, or --protocol, or --all", param_hint="SCORER")
    if all_:
        if (data is None) == (from_ is None) or out is None:
            raise typer.BadParameter("--all needs --out, and either --data or --from", param_hint="--all")
        _run_all(data, from_, out)
        return
    if protocol is not None:
        _run_protocol(protocol, events or [], map_, json=json)
        return
    assert scorer is not None
    if not events:
        raise typer.BadParameter("give the files to evaluate on", param_hint="--events")
    with _refusals():
        import scoring.bundles
        from scoring.model.bundle import load_bundle, require_view
        from training.evaluation import evaluate_bundle
        from training.making import split_of
        from training.trainer import trainer_named

        declared = _scorer(scorer)
        loaded = load_bundle(bundle or Path(next(iter(scoring.bundles.__path__))) / scorer)
        require_view(loaded, declared.view)
        config = trainer_named(declared.trainer).defaults
        gap_ms = _gap_ms(gap)
        dataset = _dataset(declared, events, map_, inputs=loaded.manifest.inputs)
        split = split_of(dataset, declared, msgspec.structs.replace(config, seed=seed, gap_ms=gap_ms))
        thresholds = {"watch": declared.policy.watch, "alert": declared.policy.alert}
        found = evaluate_bundle(loaded, declared.view, dataset, split, thresholds, seed=seed)
    if json:
        typer.echo(msgspec.json.encode(found))
    else:
        typer.echo(f"{declared.name}: bundle {loaded.digest} in {loaded.folder}")
        _show(found)


def _run_protocol(name: str, events: list[Path], map_: str | None, *, json: bool) -> None:
    with _refusals():
        from training.errors import TrainingRefused
        from training.progress import told_progress
        from training.protocols.protocol import Ground, read_protocol
        from training.protocols.running import as_json

        read = read_protocol(name)
        if not events:
            raise TrainingRefused(f"{read.name}: give --events with {read.protocol.data}")
        with told_progress(hidden=json) as told:
            outcomes = read.run(Ground(tuple(events), map_ or read.protocol.map, told))
    if json:
        typer.echo(as_json(outcomes), nl=False)
        return
    from training.protocols.page import show

    show(read, outcomes)


def _run_all(data: Path | None, from_: Path | None, out: Path) -> None:
    with _refusals():
        from training.progress import told_progress
        from training.protocols.running import page_again, run_all

        if data is not None:
            with told_progress(hidden=False) as told:
                results = run_all(data, out, told)
        else:
            assert from_ is not None
            results = page_again(from_, out)
    for result in results:
        done = f"{len(result.outcomes)} outcomes" if result.outcomes else f"not run: {result.missing}"
        typer.echo(f"{result.read.name}: {done}")
    typer.echo(f"page: {out / 'index.html'}")


@contextmanager
def _refusals() -> Iterator[None]:
    """Ends the command with exit code 1 and one readable line when the job cannot be done."""
    try:
        from schemas.catalog import BrokenDeclaration
        from scoring.files import BadMapping, UnreadableFile
        from scoring.model.errors import RefusedBundle
        from training.errors import TrainingRefused

        try:
            yield
        except (TrainingRefused, RefusedBundle, BadMapping, UnreadableFile, BrokenDeclaration) as refused:
            _fail(str(refused))
    except ModuleNotFoundError as missing:
        _fail(f"training needs {missing.name}, which is not installed; pip install 'riskstream[train]'")


def _fail(said: str) -> NoReturn:
    typer.echo(f"error: {said}", err=True)
    raise typer.Exit(1)


def _scorer(name: str) -> Any:
    from scoring.catalog import scorers

    if name not in scorers():
        raise typer.BadParameter(f"no scorer {name!r}; known are {', '.join(scorers())}", param_hint="SCORER")
    return scorers()[name]


def _gap_ms(gap: str | None) -> int | None:
    from scoring.features.spec import duration_ms

    try:
        return None if gap is None else duration_ms(gap)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong), param_hint="--gap") from None


def _dataset(declared: Any, events: list[Path], map_: str | None, *, inputs: tuple[str, ...]) -> Any:
    from scoring.files import read_events, read_mapping
    from scoring.files.mapping import IDENTITY
    from training.dataset import collect
    from training.errors import TrainingRefused

    mapping = read_mapping(map_) if map_ else IDENTITY
    chunks = read_events(events, mapping, declared.event)
    dataset = collect(declared.view, chunks, with_history="history" in inputs)
    if not len(dataset):
        names = ", ".join(path.name for path in events)
        raise TrainingRefused(f"{names}: no event could be used, {dataset.skipped} rows refused; check --map")
    if dataset.skipped:
        print(f"left out {dataset.skipped} rows: refused or duplicates", file=sys.stderr)
    return dataset


def _show(found: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if found.seen:
        console.print(
            "[yellow]the bundle was trained or calibrated on a part of these events; figures flatter it[/]"
        )
    table = Table(
        title=f"{found.rows:,} test events of {found.entities:,} entities (95 % intervals over entities)"
    )
    for name in ("figure", "value", "from", "to"):
        table.add_column(name, justify="left" if name == "figure" else "right")
    rows = {f"scores from alert ({found.alert}) on": found.alert_rate}
    rows |= {f"scores from watch ({found.watch}) on": found.watch_rate}
    rows |= {f"scores above {level}": figures for level, figures in found.tail.items()}
    for rival, detection in found.detection.items():
        rows |= {f"{rival}: {figure}": figures for figure, figures in detection.items()}
    for name, figures in rows.items():
        table.add_row(name, *("" if each is None else f"{each:.4f}" for each in figures))
    console.print(table)
