#!/usr/bin/env bash
# Prints the peak memory of sealing and opening a log of 1 GiB (or as many MiB as given). Needs python3.
set -euo pipefail
cd "$(dirname "$0")/.."
mebibytes=${1:-1024}
work=$(mktemp -d -p target)
trap 'rm -rf "$work"' EXIT
export TARSEAL_HOME=$work/home
cargo build --quiet --release --example logs --bin tarseal
target/release/examples/logs "$work/big.log" "$mebibytes"
target/release/tarseal --quiet key new -o "$work/key" > "$work/recipient"

measured() {
    local name=$1
    shift
    python3 - "$name" "$@" <<'PY'
import resource, subprocess, sys, time
began = time.time()
code = subprocess.call(sys.argv[2:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{sys.argv[1]}: peak {used.ru_maxrss / 1024:.0f} MiB, {time.time() - began:.1f} s, "
      f"{used.ru_utime + used.ru_stime:.1f} s of CPU, exit {code}")
sys.exit(code)
PY
}

measured "seal $mebibytes MiB" target/release/tarseal --quiet seal "$work/big.log" --to "$work/recipient" -o "$work/sealed"
measured "open $mebibytes MiB" target/release/tarseal --quiet open "$work/sealed" --key "$work/key" -o "$work/opened"
measured "seal $mebibytes MiB without redaction" \
    target/release/tarseal --quiet seal "$work/big.log" --no-redact --to "$work/recipient" -o "$work/plain"
