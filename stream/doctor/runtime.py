"""Whether this installation has what the workers' settings ask for."""

import platform
import sys

import aiokafka.codec
import kafka.codec

from scoring.model.session import runtime_fingerprint
from stream.doctor.finding import Finding, Level, fine, judged
from stream.settings import Settings
from stream.versions import ABSENT, library_version

AREA = "runtime"
OLDEST_PYTHON = (3, 11)


def judge_runtime(settings: Settings) -> list[Finding]:
    """Findings on Python, the arithmetic, and the compression of outputs."""
    python = fine(AREA, "python", platform.python_version(), ".".join(map(str, OLDEST_PYTHON)) + " or later")
    level: Level = "ok" if sys.version_info[:2] >= OLDEST_PYTHON else "error"
    arithmetic = fine(
        AREA,
        "onnxruntime",
        f"{library_version('onnxruntime')}, fingerprint {runtime_fingerprint()}",
        "the same fingerprint on all machines, if scores are to be bit-identical",
    )
    hiredis = fine(AREA, "hiredis", library_version("hiredis"), "installed")
    return [
        judged(level, python, do="install a newer Python"),
        arithmetic,
        judged("error" if hiredis.found == ABSENT else "ok", hiredis, do="pip install hiredis"),
        *_compression(settings.compression),
    ]


def _compression(codec: str) -> list[Finding]:
    if codec == "none":
        return []
    findings = []
    for client, codecs, use in (
        ("aiokafka", aiokafka.codec, "workers write with it"),
        ("kafka-python", kafka.codec, "riskstream subscribe reads with it"),
    ):
        able = bool(getattr(codecs, f"has_{codec}")())
        finding = fine(AREA, client, f"{codec} {'known' if able else 'not known'}", f"{codec}: {use}")
        package = {"lz4": "lz4", "zstd": "zstandard", "snappy": "python-snappy"}[codec]
        do = f"pip install {package}, or set RISKSTREAM_COMPRESSION=none"
        findings.append(judged("ok" if able else "error", finding, do=do))
    return findings
