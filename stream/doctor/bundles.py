"""Whether every selected scorer has what it scores with."""

from collections.abc import Mapping, Sequence

import msgspec

from schemas.activation import Activation, Desired
from scoring.model.errors import RefusedBundle
from scoring.policy import Policy
from scoring.scorer import Scorer
from stream.bundle_library import BundleLibrary
from stream.doctor.finding import Finding, fine, judged
from stream.errors import JobFailed

AREA = "bundle"


def judge_bundles(
    scorers: Mapping[str, Scorer],
    library: BundleLibrary,
    *,
    recorded: Mapping[str, Sequence[Activation]],
    desired: Mapping[str, Desired],
) -> list[Finding]:
    """Findings on every scorer; loads and checks every bundle that is or would be used.

    Args:
        recorded: per scorer the newest activation of each partition.
        desired: per scorer what an operator asked for.
    """
    findings: list[Finding] = []
    for scorer in scorers.values():
        newest = recorded.get(scorer.name, ())
        findings += _of(scorer, library, newest, desired.get(scorer.name))
    return findings


def _of(
    scorer: Scorer, library: BundleLibrary, newest: Sequence[Activation], wanted: Desired | None
) -> list[Finding]:
    findings: list[Finding] = []
    current = [activation for activation in newest if activation.view == scorer.view.digest]
    needed = {activation.bundle: "in force" for activation in current}
    if wanted is not None:
        needed.setdefault(wanted.bundle, "asked for")
    if len(current) < len(newest) or not needed:
        try:
            needed.setdefault(library.champion_digest(scorer), "to begin with")
        except JobFailed as failed:
            text, _, remedy = str(failed).rpartition("; ")
            finding = fine(AREA, scorer.name, text, "one bundle to begin with")
            findings.append(judged("error", finding, do=remedy))
    for digest, why in needed.items():
        count = sum(activation.bundle == digest for activation in current)
        where = f"{why} on {count} partitions" if why == "in force" else why
        findings.append(_loads(scorer, library, digest, where))
    if len(current) < len(newest):
        finding = fine(
            AREA, scorer.name,
            f"{len(newest) - len(current)} partitions last scored with another view than {scorer.view.digest}",
            "the view as the code has it",
        )  # fmt: skip
        do = "start the workers: they fold the new view from the log, then score with it"
        findings.append(judged("warning", finding, do=do))
    findings += _policy(scorer, current)
    return findings


def _loads(scorer: Scorer, library: BundleLibrary, digest: str, where: str) -> Finding:
    expected = f"a sound bundle for view {scorer.view.name}@{scorer.view.digest}"
    try:
        bundle = library.load(scorer, digest)
    except JobFailed as failed:
        text, _, remedy = str(failed).rpartition("; ")
        return judged("error", fine(AREA, scorer.name, text, expected), do=remedy)
    except RefusedBundle as refused:
        do = f"restore {digest}, or train again and: riskstream activate {scorer.name} DIGEST"
        return judged("error", fine(AREA, scorer.name, str(refused), expected), do=do)
    if not bundle.session.batch_invariant:
        found = f"{digest}, {where}: its scores depend on the batch, so rows run one by one"
        finding = fine(AREA, scorer.name, found, "scores that do not depend on the batch")
        return judged("warning", finding, do=f"riskstream train {scorer.name} --events FILE")
    return fine(AREA, scorer.name, f"{digest}, {where}: sound", expected)


def _policy(scorer: Scorer, current: Sequence[Activation]) -> list[Finding]:
    other = [
        activation
        for activation in current
        if msgspec.convert(activation.policy_content, Policy).digest != scorer.policy.digest
    ]
    if not other:
        return []
    found = f"policy {other[0].policy} in force on {len(other)} partitions"
    finding = fine(AREA, scorer.name, found, f"{scorer.policy.digest}, as the code has it")
    do = f"riskstream activate {scorer.name} {other[0].bundle}"
    return [judged("warning", finding, do=do)]
