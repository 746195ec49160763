#!/bin/sh
# Makes .venv and installs one locked set into it, and the project itself: requirements/install.sh run|test|train
# The set `bench` goes into an environment of its own, .venv-bench: it wants other versions than riskstream has.
# The index, certificates and proxies that pip is set up with are used by uv as well.
set -eu
set_name=$1
cd "$(dirname "$0")/.."

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
        if is_new_enough "$candidate"; then echo "$candidate"; return; fi
    done
    found=$("${PYTHON:-python3}" --version 2>&1 || true)
    echo "riskstream needs Python 3.11 or newer, found: ${found:-none}." >&2
    echo "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2
    exit 1
}

if ! is_new_enough .venv/bin/python; then
    python=$(find_python)
    echo "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv || {
        echo "the virtual environment cannot be made; on Debian and Ubuntu: apt install python3-venv" >&2
        exit 1
    }
fi
bin=.venv/bin
# the list has files and environment together; `pip config get` overlooks the file named by PIP_CONFIG_FILE
pip_settings=$($bin/python -m pip config list)
pip_setting() {
    for section in :env: install global; do
        value=$(printf '%s\n' "$pip_settings" | sed -n "s/^$section\.$1='\(.*\)'\$/\1/p" | sed 's/\\n/ /g')
        if [ -n "$value" ]; then echo "$value"; return; fi
    done
}

uv_version=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements/uv.txt)
if [ "$($bin/uv --version 2>/dev/null | cut -d ' ' -f 2)" != "$uv_version" ]; then
    $bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
fi

index=${UV_DEFAULT_INDEX:-${UV_INDEX_URL:-$(pip_setting index-url)}}
if [ -n "$index" ]; then export UV_DEFAULT_INDEX="$index"; fi
extra=${UV_INDEX:-$(pip_setting extra-index-url)}
if [ -n "$extra" ]; then export UV_INDEX="$extra"; fi
certificates=${SSL_CERT_FILE:-$(pip_setting cert)}
if [ -n "$certificates" ]; then export SSL_CERT_FILE="$certificates"; fi
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}"
# the largest wheels are hundreds of megabytes
export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-300}"

echo "installing requirements/$set_name.txt"
if [ -t 2 ]; then quiet=; else quiet=--quiet; fi
if [ "$set_name" = bench ]; then
    $bin/uv venv --quiet --clear --python $bin/python .venv-bench
    # what has no wheel here would need compilers of several languages
    $bin/uv pip install $quiet --python .venv-bench/bin/python --only-binary :all: --require-hashes \
        -r requirements/bench.txt
    exit
fi
$bin/uv pip install $quiet --python $bin/python --require-hashes -r "requirements/$set_name.txt"
# no build isolation: what the build needs is locked and already there
$bin/uv pip install --quiet --python $bin/python --no-deps --no-build-isolation --editable .
