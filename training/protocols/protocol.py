"""Protocol files: TOML, one of the shipped ones by name or one of your own by path."""

import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Literal

import msgspec

import training.protocols.methods
from training.errors import TrainingRefused
from training.protocols.outcome import Outcome

SHIPPED = Path(__file__).parent
Unit = Literal["entity", "row", "day"]
Told = Callable[[str], None]


@dataclass(frozen=True)
class Ground:
    """What a protocol is run on.

    Attributes:
        files: of events; map_: name or file of the mapping that reads them.
        told: is told what is being done, for people who wait.
    """

    files: tuple[Path, ...]
    map_: str
    told: Told = lambda _: None


class Protocol(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="method"):
    """What every protocol fixes; each method adds how it cuts the data.

    Attributes:
        about: what is judged, a sentence for people.
        data: which files it is run on, for people; they are given when it is run.
        files: their names, by which `evaluate --all` finds them in a folder.
        map: the mapping that reads them, unless another one is given.
        scorer: whose view makes the features.
        candidates: trainers of the models that are judged; baselines: what each is compared with.
        metrics: figures; the verdict that counts is that of the first.
        unit: what is resampled for the intervals.
        seeds: of the runs; the one with the median figure is reported.
        resamples: draws for the intervals.
    """

    about: str
    data: str
    files: tuple[str, ...] = ()
    map: str
    scorer: str
    candidates: tuple[str, ...]
    baselines: tuple[str, ...]
    metrics: tuple[str, ...]
    unit: Unit
    seeds: tuple[int, ...] = (7, 8, 9)
    resamples: int = 2_000

    def run(self, ground: Ground, name: str, sha256: str) -> list[Outcome]:
        """Judges all candidates beside all baselines."""
        raise NotImplementedError


@dataclass(frozen=True)
class Read:
    """A protocol with its name and the SHA-256 of its file, in hex."""

    name: str
    sha256: str
    protocol: Protocol

    def run(self, ground: Ground) -> list[Outcome]:
        """Judges all candidates beside all baselines.

        Raises:
            TrainingRefused, BadMapping, UnreadableFile: as they say.
        """
        return self.protocol.run(ground, self.name, self.sha256)


def shipped_names() -> list[str]:
    """The protocols that come with riskstream."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def read_protocol(name: str) -> Read:
    """The shipped protocol of this name, or that of a file.

    Raises:
        TrainingRefused: there is no such protocol, or the file is not one; names the field and the remedy.
    """
    path = Path(name) if name.endswith(".toml") else SHIPPED / f"{name}.toml"
    try:
        raw = path.read_bytes()
    except OSError:
        raise TrainingRefused(
            f"protocol {name!r} is unknown; known are {', '.join(shipped_names())}, or give a TOML file"
        ) from None
    try:
        protocol: Protocol = msgspec.toml.decode(raw, type=_any_method())
    except (msgspec.DecodeError, ValueError) as error:
        raise TrainingRefused(f"{path.name}: {error}; compare it with training/protocols/*.toml") from None
    return Read(path.stem, hashlib.sha256(raw).hexdigest(), protocol)


def _any_method() -> Any:
    """The union of the methods that files of `training/protocols/methods/` declare."""
    names = sorted(module.name for module in pkgutil.iter_modules(training.protocols.methods.__path__))
    methods: Sequence[type[Protocol]] = [
        importlib.import_module(f"training.protocols.methods.{name}").METHOD for name in names
    ]
    return reduce(or_, methods)
