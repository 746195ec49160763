"""The doctor's judgement of bundles: what a worker would refuse at its start is found before."""

from pathlib import Path

import pytest

from schemas.activation import Activation, Desired
from scoring.catalog import scorers
from scoring.model.manifest import MODEL_FILE
from stream.bundle_library import BundleLibrary
from stream.doctor.bundles import judge_bundles
from stream.errors import JobFailed
from stream.operator import usable_bundle
from stream.scorer_list import scorer_rows
from tests.support.small_bundles import write_small_bundle

SCORER = scorers()["payment_anomaly"]
ONLY = {SCORER.name: SCORER}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of bundles with one for the scorer."""
    write_small_bundle(tmp_path, SCORER)
    return tmp_path


def activation(bundle: str, **changed: object) -> Activation:
    given = {
        "scorer": SCORER.name,
        "topic": SCORER.topic,
        "partition": 0,
        "from_offset": 0,
        "bundle": bundle,
        "policy": SCORER.policy.digest,
        "view": SCORER.view.digest,
        "policy_content": SCORER.policy.content,
    }
    return Activation(**(given | changed))


def judge(
    library: BundleLibrary, *newest: Activation, wanted: Desired | None = None
) -> list[tuple[str, str]]:
    desired = {SCORER.name: wanted} if wanted else {}
    found = judge_bundles(ONLY, library, recorded={SCORER.name: newest}, desired=desired)
    return [(one.level, f"{one.found} {one.do}") for one in found]


def test_one_sound_bundle_is_good_with_and_without_a_record(folder: Path) -> None:
    """The first start and every later one."""
    library = BundleLibrary([folder])
    digest = library.champion_digest(SCORER)
    assert [level for level, _ in judge(library)] == ["ok"]
    ((level, text),) = judge(library, activation(digest), activation(digest, partition=1))
    assert level == "ok" and "in force on 2 partitions" in text


def test_a_bundle_that_is_recorded_or_asked_for_must_be_at_hand(folder: Path) -> None:
    """A worker that lacks it ends at its start."""
    library = BundleLibrary([folder])
    ((level, text),) = judge(library, activation("0123456789abcdef"))
    assert level == "error" and "0123456789abcdef" in text
    wanted = Desired(scorer=SCORER.name, bundle="fedcba9876543210", policy_content=SCORER.policy.content)
    found = judge(library, activation(library.champion_digest(SCORER)), wanted=wanted)
    assert sorted(level for level, _ in found) == ["error", "ok"]


def test_a_damaged_bundle_is_an_error_that_names_the_file(folder: Path) -> None:
    """Half a copied file is the usual way a bundle breaks."""
    with (folder / SCORER.name / MODEL_FILE).open("ab") as model:
        model.write(b"more")
    ((level, text),) = judge(BundleLibrary([folder]))
    assert level == "error" and MODEL_FILE in text


def test_several_bundles_without_a_choice_need_one(folder: Path) -> None:
    """Which of them scores must not depend on the order of a folder."""
    write_small_bundle(folder / SCORER.name, SCORER, bias=-5.0)
    library = BundleLibrary([folder])
    if len(library.digests(SCORER.name)) < 2:
        pytest.fail("the second bundle was not found")
    ((level, text),) = judge(library)
    assert level == "error" and f"riskstream activate {SCORER.name}" in text


def test_another_policy_or_view_than_the_code_has_is_a_warning(folder: Path) -> None:
    """What is recorded goes on scoring; whoever changed the code should know that it does."""
    library = BundleLibrary([folder])
    digest = library.champion_digest(SCORER)
    strict = {"watch": 0.5, "alert": 0.6, "cooldown_ms": 0}
    found = judge(library, activation(digest, policy_content=strict, policy="other"))
    assert [level for level, _ in found] == ["ok", "warning"]
    assert f"riskstream activate {SCORER.name} {digest}" in found[1][1]
    found = judge(library, activation(digest, view="0" * 16))
    assert [level for level, _ in found] == ["ok", "warning"]


def test_activate_takes_only_bundles_that_a_worker_would_take(folder: Path) -> None:
    """Found here it costs a message; found by the workers it costs their run."""
    library = BundleLibrary([folder])
    digest = library.champion_digest(SCORER)
    assert usable_bundle(library, SCORER, None).digest == digest
    with pytest.raises(JobFailed, match=digest):
        usable_bundle(library, SCORER, "0123456789abcdef")


def test_the_list_of_scorers_says_which_bundle_would_be_used(folder: Path) -> None:
    """And how to make one where there is none."""
    (row,) = scorer_rows(ONLY, BundleLibrary([folder]))
    assert row.bundle == BundleLibrary([folder]).champion_digest(SCORER)
    assert (row.topic, row.views, row.shadow) == ("transactions", ("account_activity",), False)
    assert row.policy_digest == SCORER.policy.digest
