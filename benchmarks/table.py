"""A table of texts, drawn on a screen or written into a document."""

from dataclasses import dataclass

from rich.table import Table as Drawn


@dataclass(frozen=True)
class Table:
    """Texts in rows under a heading."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table for a document, without the title.

        >>> print(Table("costs", ("what", "us"), (("fold", "1.5"),)).markdown())
        | what | us |
        | --- | --- |
        | fold | 1.5 |
        """
        lines = [self.columns, ("---",) * len(self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def drawn(self) -> Drawn:
        """The table for a console."""
        table = Drawn(*self.columns, title=self.title, title_justify="left")
        for row in self.rows:
            table.add_row(*row)
        return table
