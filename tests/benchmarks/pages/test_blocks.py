"""Documents hold what was measured."""

import pytest

from benchmarks.pages.blocks import UnknownBlock, names_of, with_blocks
from benchmarks.pages.content import DOCUMENTS, Measured, blocks_of

TEXT = "before\n<!-- made: one thing -->\nold\n<!-- until here -->\nafter\n"


def test_a_block_is_made_anew_and_the_rest_is_left_alone() -> None:
    """People write around the tables."""
    found = with_blocks(TEXT, {"one thing": "| new |"})
    assert found == "before\n<!-- made: one thing -->\n\n| new |\n\n<!-- until here -->\nafter\n"
    assert with_blocks(found, {"one thing": "| new |"}) == found


def test_a_block_that_nobody_makes_is_an_error() -> None:
    """A misspelt name would keep its old figures for ever."""
    with pytest.raises(UnknownBlock, match="one thing"):
        with_blocks(TEXT, {"another": ""})


def test_the_documents_hold_what_the_committed_results_say() -> None:
    """No figure in a document that no run has shown; after a run: python -m benchmarks.pages."""
    made = blocks_of(Measured.read())
    for document in DOCUMENTS:
        text = document.read_text()
        assert names_of(text)
        assert with_blocks(text, made) == text, f"{document.name} is not of these results"
