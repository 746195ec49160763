"""Which package may be imported where, and what must not be loaded by running the worker."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source_tree import PACKAGES, ROOT, imported_modules, python_files

# module -> places that may import it: a folder, or a file
ALLOWED: dict[str, tuple[str, ...]] = {
    "torch": ("training",),
    "onnxscript": ("training",),
    "skl2onnx": ("training",),
    "sklearn": ("training",),
    "matplotlib": ("training",),
    "faust": ("stream",),
    "mode": ("stream",),
    "aiokafka": ("stream",),
    "kafka": ("stream",),
    "redis": (
        "scoring/store/redis.py", "scoring/store/exchange.py", "stream/services", "stream/doctor",
        "stream/commands/doctor.py",
    ),
    "onnxruntime": ("scoring/model/session.py",),
    "typer": ("stream", "training/cli.py"),
    # another client than the workers', to check them by
    "confluent_kafka": ("stream/verify",),
    # they belong to tests and benchmarks
    "psutil": (),
    "hypothesis": (),
    "pytest": (),
}

LOADED_WITHOUT_TORCH = """
import importlib, pkgutil, sys
import scoring, stream, stream.cli, stream.commands
names = ["stream.cli"]
names += [found.name for found in pkgutil.iter_modules(stream.commands.__path__, "stream.commands.")]
names += [found.name for found in pkgutil.walk_packages(scoring.__path__, "scoring.")]
for name in names:
    importlib.import_module(name)
    if "torch" in sys.modules:
        sys.exit(f"importing {name} loads torch")
stream.cli.register_commands(stream.cli.app)
if "torch" in sys.modules:
    sys.exit("registering the commands loads torch; import it inside the functions of training/cli.py")
print(len(names))
"""


def is_below(path: Path, place: str) -> bool:
    return path.as_posix() == place or path.as_posix().startswith(f"{place.removesuffix('/')}/")


@pytest.mark.parametrize("module", ALLOWED)
def test_a_library_is_imported_only_where_it_belongs(module: str) -> None:
    """Each heavy library has one home, so that it can be replaced there and left out elsewhere."""
    places = ALLOWED[module]
    wrong = [
        f"{path}:{line}: imports {name}; allowed in {', '.join(places) or 'tests and benchmarks only'}"
        for path in python_files(*PACKAGES)
        for line, name in imported_modules(path)
        if name.split(".")[0] == module and not any(is_below(path, place) for place in places)
    ]
    assert not wrong, "\n".join(wrong)


def test_running_anything_but_training_never_loads_torch() -> None:
    """Torch costs seconds and hundreds of megabytes; a worker has neither to give."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOADED_WITHOUT_TORCH], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[-1]) > 20
