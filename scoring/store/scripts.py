"""The Lua scripts of the Redis store: their text, their names, their arguments and the record they keep."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha1
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from scoring.store.commands import Command
from scoring.store.contract import Blob, Lease, Record, Step

_FOLDER = Path(__file__).parent
_OFFSET, _OUTPUT, _NOTE, _ORIGIN = "v:", "o:", "n:", "g:"
_lifetime = attrgetter("expire_after_seconds")


class Script:
    """One `.lua` file beside this module, called by the digest Redis knows it by."""

    def __init__(self, name: str) -> None:
        self.text = (_FOLDER / f"{name}.lua").read_bytes()
        # Redis names scripts by SHA-1; it protects nothing here.
        self.digest = sha1(self.text, usedforsecurity=False).hexdigest()

    def call(self, keys: Sequence[str], arguments: Iterable[str | bytes | int]) -> Command:
        """The command that runs the script on `keys`, which must be of one partition."""
        return ("EVALSHA", self.digest, len(keys), *keys, *arguments)


ACQUIRE = Script("acquire")
COMMIT = Script("commit")
FORGET = Script("forget")
ALL = (ACQUIRE, COMMIT, FORGET)


def commit_call(control: str, lease: Lease, step: Step, *, after: str, name: str) -> Command:
    """The command that applies `step` where the step named `after` was the newest, and names it `name`."""
    fields: list[tuple[str, str | int]] = [
        *((_OFFSET + digest, offset) for digest, offset in step.next.items()),
        *((_OUTPUT + output, offset) for output, offset in step.outputs.items()),
        *((_NOTE + note, text) for note, text in step.notes.items()),
        *((_ORIGIN + origin, offset) for origin, offset in step.origins.items()),
    ]
    arguments: list[str | bytes | int] = [lease.token, after, name, len(step.expected)]
    for digest, offset in step.expected.items():
        arguments += (_OFFSET + digest, "" if offset is None else offset)
    arguments.append(len(fields))
    for field, value in fields:
        arguments += (field, value)
    arguments += _runs(step.blobs)
    return COMMIT.call([control, *[blob.key for blob in step.blobs]], arguments)


def _runs(blobs: Sequence[Blob]) -> Iterator[str | bytes | int]:
    for seconds, run in groupby(blobs, _lifetime):
        values = [blob.value for blob in run]
        yield len(values)
        yield seconds
        yield from values


def record_of(fields: dict[bytes, bytes]) -> Record:
    """The record kept in the fields of a control key."""
    offsets: dict[str, int] = {}
    outputs: dict[str, int] = {}
    notes: dict[str, str] = {}
    origins: dict[str, int] = {}
    for name, value in ((name.decode(), value.decode()) for name, value in fields.items()):
        if name.startswith(_OFFSET):
            offsets[name.removeprefix(_OFFSET)] = int(value)
        elif name.startswith(_OUTPUT):
            outputs[name.removeprefix(_OUTPUT)] = int(value)
        elif name.startswith(_NOTE):
            notes[name.removeprefix(_NOTE)] = value
        elif name.startswith(_ORIGIN):
            origins[name.removeprefix(_ORIGIN)] = int(value)
    count = fields.get(b"partitions")
    return Record(
        epoch=int(fields.get(b"epoch", 0)),
        offsets=offsets,
        outputs=outputs,
        notes=notes,
        partition_count=None if count is None else int(count),
        origins=origins,
    )
