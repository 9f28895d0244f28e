#!/usr/bin/env bash
# Prints how long sealing a log of 256 MiB (or as many MiB as given) with redaction takes beside tar, zstd and age without any,
# and the ratio of the two. Needs age, zstd, tar and python3.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in age age-keygen zstd tar python3; do
    command -v "$tool" > /dev/null || { echo "$0: $tool is needed" >&2; exit 2; }
done
mebibytes=${1:-256}
work=$(mktemp -d -p target)
trap 'rm -rf "$work"' EXIT
export TARSEAL_HOME=$work/home
cargo build --quiet --release --example logs --bin tarseal
target/release/examples/logs "$work/big.log" "$mebibytes"
target/release/tarseal --quiet key new -o "$work/key" > "$work/recipient"
age-keygen -o "$work/age.key" 2> /dev/null
recipient=$(age-keygen -y "$work/age.key")

# The best of three, in seconds.
best() {
    python3 - "$@" <<'PY'
import subprocess, sys, time
times = []
for _ in range(3):
    began = time.time()
    subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
    times.append(time.time() - began)
print(f"{min(times):.2f}")
PY
}

sealed=$(best sh -c "rm -f '$work/sealed' && target/release/tarseal --quiet seal '$work/big.log' \
    --to '$work/recipient' -o '$work/sealed'")
plain=$(best sh -c "tar -c -C '$work' big.log | zstd -q -3 -T2 | age -r $recipient > '$work/plain'")
python3 -c "print(f'tarseal seal, redacted: $sealed s; tar | zstd -3 -T2 | age: $plain s; ratio {$sealed / $plain:.2f}')"
