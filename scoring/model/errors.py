"""The error of a bundle that may not score."""


class RefusedBundle(Exception):
    """A bundle, or a file of it, breaks a rule; the text names the file, the cause and the remedy.

    Attributes:
        where: the file or folder that was refused.
        cause: what was expected and what was found.
        remedy: what to do about it.
    """

    def __init__(self, where: object, cause: str, remedy: str) -> None:
        super().__init__(f"bundle {where}: {cause}; {remedy}")
        self.where = str(where)
        self.cause = cause
        self.remedy = remedy
