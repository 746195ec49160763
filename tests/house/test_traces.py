"""No file carries traces of the machine it was written on, nor names of package registries."""

import re

from tests.support.source_tree import ROOT, project_files

# put together from parts, so that this file is not its own first finding
REGISTRIES = (
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("npmjs", "org"),
    ("npmjs", "com"),
    ("repo1.maven", "org"),
    ("repo.maven.apache", "org"),
    ("proxy.golang", "org"),
    ("crates", "io"),
    ("docker", "io"),
    ("ghcr", "io"),
    ("quay", "io"),
    ("anaconda", "org"),
    ("download.pytorch", "org"),
)
HOSTS = re.compile("|".join(re.escape(".".join(parts)) for parts in REGISTRIES))
FOLDERS = re.compile(
    "|".join(
        rf"(?<![\w.]){start}"
        for start in (
            "/wor" + r"k/(?:main|shared|\.library)\b",
            "/roo" + r"t/",
            "/hom" + r"e/[a-z]\w*",
            "/User" + r"s/[a-z]\w*",
            "/tm" + r"p/\w+",
            r"[A-Z]:\\User" + r"s\\",
        )
    )
)


def findings(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in project_files():
        try:
            text = (ROOT / path).read_text()
        except UnicodeDecodeError:
            continue  # images, Parquet, ONNX: no text to read
        for number, line in enumerate(text.splitlines(), start=1):
            match = pattern.search(line)
            if match:
                found.append(f"{path}:{number}: {match.group()!r}")
    return found


def test_no_file_names_a_folder_of_some_machine() -> None:
    """What runs here must run elsewhere; settings and arguments say where things are."""
    found = findings(FOLDERS)
    assert not found, "\n".join(found)


def test_no_file_names_a_package_registry() -> None:
    """Which mirror to use is a matter of each machine's own settings."""
    found = findings(HOSTS)
    assert not found, "\n".join(found)
