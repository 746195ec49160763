"""Runs the tests by group, ends with the time of each: `python -m tests.groups [unit] [training] [live] [faults]`."""

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

NO_TESTS_COLLECTED = 5

GROUPS = {
    # each worker compiles the numba kernels for itself unless they are cached, so no more than two
    "unit": ("-m", "not live and not training and not faults and not long", "-n", "2", "--dist", "loadgroup"),
    # what a file trains once for its tests is not trained again in the other process
    "training": ("-m", "training and not live", "-n", "2", "--dist", "loadfile"),
    # one broker for all, and two cores are busy with it
    "live": ("-m", "live"),
    "faults": ("-m", "faults"),
}
ON_REQUEST = {
    "long": ("-m", "long"),
    # the live tests of workers and of what looks at their states
    "cluster": ("-m", "live", "--redis-cluster", "-k", "worker or verify or replay or operating"),
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a group went: counts of tests, wall seconds, and pytest's exit code."""

    group: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    exit_code: int

    @property
    def good(self) -> bool:
        """Whether nothing failed; a group without any test is good, as it is while a package has none."""
        return self.exit_code in (0, NO_TESTS_COLLECTED)


def run_group(group: str, report: Path, *, quiet: bool = False) -> Outcome:
    """Runs one group in a process of its own, its output as pytest prints it, or all of it at the end."""
    command = [sys.executable, "-m", "pytest", "-q", *(GROUPS | ON_REQUEST)[group]]
    began = time.monotonic()
    if not quiet:
        print(f"\n=== {group} ===", flush=True)
    done = subprocess.run(
        [*command, f"--junitxml={report}", "--durations=5"], check=False,
        stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT if quiet else None, text=True,
    )  # fmt: skip
    if quiet:
        print(f"\n=== {group} ===\n{done.stdout}", flush=True)
    seconds = time.monotonic() - began
    counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    if report.exists():
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            counts = {name: counts[name] + int(suite.get(name, 0)) for name in counts}
    failed = counts["failures"] + counts["errors"]
    return Outcome(
        group=group,
        passed=counts["tests"] - failed - counts["skipped"],
        failed=failed,
        skipped=counts["skipped"],
        seconds=seconds,
        exit_code=done.returncode,
    )


def run_groups(groups: list[str], folder: Path) -> list[Outcome]:
    """One group after the other; but faults run beside the live tests, since both wait for most of their time."""
    together = {"live", "faults"} <= set(groups)
    outcomes = []
    with ThreadPoolExecutor(1) as beside:
        for group in groups:
            if together and group == "faults":
                continue
            report = folder / f"{group}.xml"
            if together and group == "live":
                faults = beside.submit(run_group, "faults", folder / "faults.xml", quiet=True)
                outcomes += [run_group(group, report), faults.result()]
            else:
                outcomes.append(run_group(group, report))
    return outcomes


def main(groups: list[str]) -> int:
    """Exit code 1 when a group failed, 2 for an unknown group; the last line has the counts of all groups."""
    unknown = [group for group in groups if group not in GROUPS | ON_REQUEST]
    if unknown:
        print(f"unknown group {', '.join(unknown)}; known are {', '.join(GROUPS | ON_REQUEST)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run_groups(groups or list(GROUPS), Path(folder))
    print("\ngroup      passed  failed  skipped   seconds")
    for one in outcomes:
        remark = "" if one.good else f"   failed (pytest's exit code {one.exit_code})"
        print(f"{one.group:<9} {one.passed:>7} {one.failed:>7} {one.skipped:>8} {one.seconds:>9.1f}{remark}")
    # a group that ended without counting, by a broken import or a crash, must not look like a good one
    uncounted = sum(1 for one in outcomes if not one.good and not one.failed)
    passed, failed = sum(one.passed for one in outcomes), sum(one.failed for one in outcomes) + uncounted
    print(f"\n{passed} passed, {failed} failed, {sum(one.skipped for one in outcomes)} skipped", flush=True)
    return 0 if all(one.good for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
