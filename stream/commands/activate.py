"""`riskstream activate`: another bundle for a scorer, while the workers run."""

import asyncio
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds `activate`."""
    app.command()(activate)


def activate(
    scorer: Annotated[str, typer.Argument(help="Name of the scorer; `riskstream scorers` lists them.")],
    digest: Annotated[
        str | None, typer.Argument(help="Digest of the bundle; when left out, the only one there is.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Put a bundle, and the policy as the code has it, in force for a scorer.

    The bundle is checked here; running workers take it up at their next poll and record from which offset
    it scores. Its folder must be among the bundle folders of every worker: one without it ends and says so.

    Example: riskstream activate payment_anomaly 0123456789abcdef
    """
    import json

    from scoring.catalog import BrokenDeclaration, UnknownScorer, selected
    from scoring.model.errors import RefusedBundle
    from scoring.policy import Policy
    from stream.bundle_library import BundleLibrary
    from stream.errors import JobFailed
    from stream.operator import ask_for_bundle, newest, recorded_activations, require_reasons, usable_bundle
    from stream.quiet import quieten_libraries
    from stream.settings import load

    quieten_libraries()
    settings = load()
    try:
        declared = selected([scorer])[scorer]
        bundle = usable_bundle(BundleLibrary(settings.bundle_dirs), declared, digest)
        require_reasons(declared, bundle)
    except UnknownScorer as error:
        raise typer.BadParameter(str(error)) from None
    except (BrokenDeclaration, RefusedBundle) as error:
        raise JobFailed(str(error)) from None
    before = newest(asyncio.run(recorded_activations(settings)), scorer)
    desired = asyncio.run(ask_for_bundle(settings, declared, bundle))
    policy = Policy(**desired.policy_content).digest
    changes = [entry for entry in before if (entry.bundle, entry.policy) != (bundle.digest, policy)]
    if json_:
        told = {
            "scorer": scorer, "bundle": bundle.digest, "policy": policy,
            "batch_invariant": bundle.session.batch_invariant,
            "partitions": len(before), "partitions_to_change": len(changes),
        }  # fmt: skip
        typer.echo(json.dumps(told))
        return
    typer.echo(f"{scorer}: asked for bundle {bundle.digest} with policy {policy}")
    if not bundle.session.batch_invariant:
        typer.echo(
            "its scores depend on the batch, so rows run one by one, which is slow; better train it again"
        )
    if not before:
        typer.echo("no worker has scored with it in this namespace yet; the first one will take it up")
    elif not changes:
        typer.echo(f"it is in force on all {len(before)} partitions already")
    else:
        typer.echo(f"{len(changes)} of {len(before)} partitions change at their workers' next poll")
