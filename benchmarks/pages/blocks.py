"""Parts of a document that are made: between two comments that name them, everything else is written by people."""

import re
from collections.abc import Mapping

BLOCK = re.compile(r"(<!-- made: (?P<name>[a-z_ ]+) -->\n).*?(<!-- until here -->)", re.DOTALL)


class UnknownBlock(Exception):
    """A document asks for what is not made; the text names it."""


def names_of(text: str) -> list[str]:
    """Names of the blocks of a document, in order.

    >>> names_of("<!-- made: limits -->\\nold\\n<!-- until here -->")
    ['limits']
    """
    return [found["name"] for found in BLOCK.finditer(text)]


def with_blocks(text: str, made: Mapping[str, str]) -> str:
    """The document with every block as it is made now.

    Raises:
        UnknownBlock: it has a block that is not made.
    """
    unknown = [name for name in names_of(text) if name not in made]
    if unknown:
        raise UnknownBlock(f"block {unknown[0]!r} is not made; made are {', '.join(made)}")
    return BLOCK.sub(lambda found: f"{found[1]}\n{made[found['name']]}\n\n{found[3]}", text)
