#!/usr/bin/env bash
# Prints the peak memory of sealing and opening a log of 1 GiB (or as many MiB as given), and of bytes that do not compress.
# Without redaction sealing must stay below 64 MiB and opening below 128 MiB. Needs python3.
set -euo pipefail
cd "$(dirname "$0")/.."
mebibytes=${1:-1024}
tarseal=${TARSEAL:-target/release/tarseal}
if [ -z "${TARSEAL:-}" ]; then
    cargo build --quiet --release --no-default-features --features cli --bin tarseal --example logs
fi
work=$(mktemp -d -p target)
trap 'rm -rf "$work"' EXIT
export TARSEAL_HOME=$work/home
${LOGS:-target/release/examples/logs} "$work/big.log" "$mebibytes"
head -c "${mebibytes}M" /dev/urandom > "$work/noise"
"$tarseal" --quiet key new -o "$work/key" > "$work/recipient"

measured() {
    local name=$1 most=$2
    shift 2
    python3 - "$name" "$most" "$tarseal" --quiet "$@" <<'PY'
import resource, subprocess, sys, time
name, most = sys.argv[1], float(sys.argv[2])
began = time.time()
code = subprocess.call(sys.argv[3:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
peak = used.ru_maxrss / 1024
print(f"{name}: peak {peak:.0f} MiB, {time.time() - began:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of CPU, exit {code}")
sys.exit(code or peak > most)
PY
}

for source in big.log noise; do
    rm -rf "$work/sealed" "$work/opened"
    measured "seal $mebibytes MiB, $source, nothing redacted" 64 \
        seal "$work/$source" --no-redact --to "$work/recipient" -o "$work/sealed"
    measured "open $mebibytes MiB, $source" 128 open "$work/sealed" --key "$work/key" -o "$work/opened"
done
for level in 6 9; do
    rm -f "$work/sealed"
    measured "seal $mebibytes MiB, level $level, nothing redacted" 64 \
        seal "$work/big.log" --no-redact --level "$level" --to "$work/recipient" -o "$work/sealed"
done
rm -f "$work/sealed"
measured "seal $mebibytes MiB, redacted" 1024 seal "$work/big.log" --to "$work/recipient" -o "$work/sealed"
