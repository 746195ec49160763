"""Tables for screens and documents."""

from benchmarks.table import Table

TABLE = Table("costs", ("what", "us"), (("fold", "1.5"), ("model", "1.2")))


def test_a_table_reads_the_same_on_a_screen_and_in_a_document() -> None:
    """One list of rows, so that the two cannot differ."""
    assert TABLE.markdown().splitlines() == ["| what | us |", "| --- | --- |", "| fold | 1.5 |", "| model | 1.2 |"]
    drawn = TABLE.drawn()
    assert [str(column.header) for column in drawn.columns] == ["what", "us"]
    assert drawn.row_count == 2
