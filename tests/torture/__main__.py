"""`python -m tests.torture --seed 7 --minutes 60`: ends with one JSON line; exit code 1 when a promise did not hold."""

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

from tests.torture.run import PER_SECOND, torture


def main() -> int:
    """Runs as asked; the folder with all logs stays when something failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=None, help="of events and faults; a new one when left out")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long faults are done")
    parser.add_argument("--per-second", type=float, default=PER_SECOND, help="events fed")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    folder = Path(tempfile.gettempdir()) / f"riskstream-torture-{seed}"

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    say(f"seed {seed}: logs in {folder}; again with: make torture SEED={seed} MINUTES={given.minutes:g}")
    outcome = torture(folder, seed, 60 * given.minutes, say, per_second=given.per_second)
    print(json.dumps(outcome.told()), flush=True)
    return 1 if outcome.failed else 0


if __name__ == "__main__":
    sys.exit(main())
