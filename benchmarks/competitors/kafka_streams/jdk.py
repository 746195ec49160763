"""Finds a Java development kit and compiles the application's sources by it; without one, nothing is measured."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent
PACKAGE = "obvious"
OLDEST = 17


class LeftOut(Exception):
    """The application cannot be run here; the text says why and what to do."""


class DoesNotCompile(Exception):
    """The compiler refuses a source; the text is what it says."""


@dataclass(frozen=True)
class Jdk:
    """The compiler and the `java` beside it."""

    javac: Path
    java: Path


def find_jdk(environment: Mapping[str, str] | None = None) -> Jdk:
    """The kit of `JAVA_HOME`, else the one on the path.

    Raises:
        LeftOut: there is none, or it is too old.
    """
    environment = os.environ if environment is None else environment
    home, path = environment.get("JAVA_HOME"), environment.get("PATH")
    places = ([str(Path(home, "bin"))] if home else []) + ([path] if path else [])
    found = next(filter(None, (shutil.which("javac", path=place) for place in places)), None)
    if found is None:
        raise LeftOut("no JDK (javac) found; set JAVA_HOME")
    javac = Path(found).resolve()
    told = subprocess.run([javac, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r"^javac (\d+)", told.stdout + told.stderr, re.MULTILINE)
    if version is None or int(version[1]) < OLDEST:
        said = (told.stdout + told.stderr).strip()
        raise LeftOut(f"the JDK found says {said!r}, expected {OLDEST} or newer; set JAVA_HOME")
    return Jdk(javac, javac.with_name("java"))


def compile_class(jdk: Jdk, name: str, jars: Sequence[Path], into: Path) -> None:
    """Compiles one class of the application and what it needs of the others.

    Args:
        name: the class, without its package.
        jars: libraries that it needs.
        into: folder for the compiled classes.

    Raises:
        DoesNotCompile: the compiler refuses.
    """
    into.mkdir(parents=True, exist_ok=True)
    source = SOURCES / PACKAGE / f"{name}.java"
    class_path = os.pathsep.join(map(str, jars))
    command: list[str | Path] = [
        jdk.javac, "--release", str(OLDEST), "-encoding", "UTF-8", "-implicit:class", "-proc:none",
        "-cp", class_path, "-sourcepath", SOURCES, "-d", into, source,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DoesNotCompile(f"{source.name} does not compile:\n{done.stdout}{done.stderr}")
