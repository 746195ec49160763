"""Protocol files: read by name or path, refused with what is wrong, hashed so that a change shows."""

import re
from pathlib import Path

import pytest

from training.errors import TrainingRefused
from training.protocols.protocol import read_protocol, shipped_names

GOOD = """
method = "last_share"
about = "whether payments are told apart"
data = "card payments"
map = "handbook_cards"
scorer = "payment_anomaly"
candidates = ["logistic"]
baselines = ["boosting"]
metrics = ["auc"]
unit = "entity"
"""


def test_a_file_of_ones_own_is_read_and_its_hash_changes_with_it(tmp_path: Path):
    """Two results are of one protocol only if the hash says so."""
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    first = read_protocol(str(path))
    assert (first.name, first.protocol.seeds, first.protocol.resamples) == ("mine", (7, 8, 9), 2_000)
    path.write_text(GOOD + "resamples = 100\n")
    assert read_protocol(str(path)).sha256 != first.sha256


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_protocol_can_be_read(name):
    """A typing error in a file would be found by the first person who runs it."""
    assert read_protocol(name).name == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace('"last_share"', '"by_hand"'), "by_hand"),
        (GOOD.replace('unit = "entity"', 'unit = "moon"'), "unit"),
        (GOOD + "fold = 3\n", "fold"),
        (GOOD.replace('map = "handbook_cards"\n', ""), "map"),
        ("not toml", "mine.toml"),
    ],
)
def test_a_broken_file_is_refused_and_the_field_is_named(tmp_path: Path, text: str, said: str):
    """A protocol with a misspelt field would silently be another protocol."""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(TrainingRefused, match=re.escape(said)):
        read_protocol(str(path))


def test_an_unknown_name_is_refused_with_the_known_ones():
    """Whoever mistypes a name reads which there are."""
    with pytest.raises(TrainingRefused, match="protocol 'polisch' is unknown; known are"):
        read_protocol("polisch")
