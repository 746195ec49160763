"""Event types are found by their files, and a broken one is named."""

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import schemas.events
from schemas.catalog import BrokenDeclaration, event_types
from schemas.event import EventType
from schemas.events import transaction


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of event types beside the shipped one, forgotten afterwards."""
    monkeypatch.setattr(schemas.events, "__path__", [*schemas.events.__path__, str(tmp_path)])
    event_types.cache_clear()
    yield tmp_path
    event_types.cache_clear()
    for name in [name for name in sys.modules if name.startswith("schemas.events.zz_")]:
        del sys.modules[name]


def test_a_new_file_is_a_new_event_type(folder: Path) -> None:
    """Adding an event type is one file; nothing else is edited."""
    (folder / "zz_rate.py").write_text(
        "import msgspec\n"
        "from schemas.event import EventType, Id, OccurredAt\n"
        "class Rate(msgspec.Struct, frozen=True, kw_only=True):\n"
        "    event_id: Id\n    occurred_at_ms: OccurredAt\n    tenor: Id\n"
        "EVENT = EventType(struct=Rate, topic='rates', key='tenor')\n"
    )
    assert event_types()["rates"].name == "Rate"
    assert list(event_types()) == sorted(event_types())


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("import no_such_module\n", "ModuleNotFoundError"),
        ("", "AttributeError"),
        ("EVENT = 7\n", "EVENT is a int"),
        ("from schemas.events.tick import EVENT\n", "already taken by Tick"),
    ],
)
def test_a_broken_file_stops_the_start_with_its_name_and_the_cause(
    folder: Path, text: str, cause: str
) -> None:
    """A declaration that is skipped silently is a topic that is not scored."""
    (folder / "zz_broken.py").write_text(text)
    with pytest.raises(BrokenDeclaration, match=r"zz_broken\.py") as caught:
        event_types()
    assert cause in str(caught.value)


def test_a_key_must_be_a_field_and_a_topic_must_not_be_an_output() -> None:
    """Both mistakes would only show in production: no entity, or a worker that reads its own scores."""
    with pytest.raises(ValueError, match="'card'"):
        EventType(struct=transaction.Transaction, topic="transactions", key="card")
    with pytest.raises(ValueError, match="output topic"):
        EventType(struct=transaction.Transaction, topic="risk-scores", key="account_id")


@pytest.mark.parametrize("event_type", event_types().values(), ids=lambda event_type: event_type.name)
def test_events_cannot_be_changed(event_type: EventType) -> None:
    """An event that changes after the fold would make score and state disagree."""
    assert event_type.struct.__struct_config__.frozen
    assert issubclass(event_type.struct, msgspec.Struct)
