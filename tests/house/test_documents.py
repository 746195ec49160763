"""The documents are true: their links lead somewhere, their code runs, their tables are complete."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import typer
from typer.core import TyperGroup

import schemas.events
import scoring.scorers
import scoring.views
import stream.cli
from schemas.catalog import event_types
from schemas.codec import EventDecoder, Refused
from schemas.contract import contracts
from schemas.dead_letter import Reason
from schemas.label import Label
from schemas.score import Score
from scoring import catalog
from stream.settings import Settings
from stream.worker.metrics import Metrics
from tests.support.source_tree import ROOT, project_files

DOCUMENTS = [path for path in project_files() if path.suffix == ".md"]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FILE_BLOCK = re.compile(r"<!-- file: (\S+) -->\n```python\n(.*?)```", re.DOTALL)
JSON_BLOCK = re.compile(r"```json\n(.*?)```", re.DOTALL)
SHELL_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"\briskstream ([a-z][a-z-]+)\b")
FOLDERS = {
    "schemas/events": schemas.events,
    "scoring/views": scoring.views,
    "scoring/scorers": scoring.scorers,
}


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_within_the_project_leads_to_a_file(document: Path) -> None:
    """A reader who meets a dead link trusts the page less."""
    for target in LINK.findall((ROOT / document).read_text()):
        if "://" not in target and not target.startswith("#"):
            path = (ROOT / document).parent / target.partition("#")[0]
            assert path.exists(), f"{document}: {target}"


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folders of declarations beside the shipped ones, as if the documents' files were saved there."""
    for folder, package in FOLDERS.items():
        (tmp_path / folder).mkdir(parents=True)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / folder)])
    caches = (event_types, contracts, catalog.views, catalog.scorers)
    for cached in caches:
        cached.cache_clear()
    importlib.invalidate_caches()
    yield tmp_path
    for cached in caches:
        cached.cache_clear()


@pytest.mark.parametrize("document", ["README.md", "docs/add-a-scorer.md"])
def test_the_shown_declarations_work_as_they_stand(document: str, declared: Path) -> None:
    """`Adding a scorer is one file` is a promise; whoever copies the page must get a scorer."""
    blocks = FILE_BLOCK.findall(text_of(document))
    assert blocks
    for name, code in blocks:
        (declared / name).write_text(code)
    for name, _ in blocks:
        folder, _, file = name.rpartition("/")
        stem = file.removesuffix(".py")
        if folder == "scoring/scorers":
            scorer = catalog.scorers()[stem]
            assert scorer.name == stem
            assert scorer.topic in event_types()
        elif folder == "scoring/views":
            assert stem in catalog.views()
        else:
            assert stem in contracts()


def test_the_shown_records_are_what_they_say() -> None:
    """Examples are copied; a wrong one costs everybody an hour."""
    for document in ("README.md", "docs/wire-format.md"):
        for block in JSON_BLOCK.findall(text_of(document)):
            raw = block.strip().encode()
            if b"score_id" in raw:
                assert msgspec.json.encode(msgspec.json.decode(raw, type=Score)) == raw
            elif b"known_at_ms" in raw:
                assert msgspec.json.encode(msgspec.json.decode(raw, type=Label)) == raw
            else:
                EventDecoder(event_types()["transactions"], strict=True).decode(raw)


def test_every_command_in_the_documents_exists() -> None:
    """A command that was renamed must be renamed where people read of it."""
    app = typer.Typer()
    stream.cli.register_commands(app)
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    wrong = []
    for document in (
        "README.md",
        *(f"docs/{name}.md" for name in ("operations", "add-a-scorer", "architecture")),
    ):
        text = text_of(document)
        shown = "\n".join([*SHELL_BLOCK.findall(text), *re.findall(r"`riskstream [^`]*`", text)])
        wrong += [
            f"{document}: riskstream {name}"
            for name in COMMAND.findall(shown)
            if name not in command.commands
        ]
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_every_setting_is_explained() -> None:
    """What cannot be looked up is set by guess."""
    text = text_of("docs/operations.md")
    assert [name for name in Settings.model_fields if f"`{name}`" not in text] == []
    named = re.findall(
        r"^\| (`[^|]*`) \|", text[text.index("## Settings") : text.index("## Health")], re.MULTILINE
    )
    listed = {name for row in named for name in re.findall(r"`([a-z_]+)`", row)}
    assert listed == set(Settings.model_fields)


def test_every_metric_is_listed() -> None:
    """A metric nobody knows what to do about is noise."""
    text = text_of("docs/operations.md")
    names = {
        f"riskstream_{line.split()[2].removeprefix('riskstream_').removesuffix('_total')}"
        for line in Metrics().text().decode().splitlines()
        if line.startswith("# HELP riskstream_") and not line.split()[2].endswith("_created")
    }
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_every_reason_code_and_topic_is_listed() -> None:
    """Operators look a code up when it first appears, and that is never a good moment to find nothing."""
    text = text_of("docs/wire-format.md")
    assert [reason for reason in Reason if f"| `{reason}` |" not in text] == []
    assert [contract.topic for contract in contracts().values() if f"`{contract.topic}`" not in text] == []


def test_a_wrong_example_would_be_found() -> None:
    """The check of the examples must be able to fail."""
    with pytest.raises(Refused):
        EventDecoder(event_types()["transactions"], strict=True).decode(b'{"event_id": "p-1"}')
