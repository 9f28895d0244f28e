#!/usr/bin/env bash
# Compares tarseal with tar, zstd and age: the same machine, the same run, the same log of 500 MB (or as many as given).
#
#     benches/seal_peer.sh [MB] [REPETITIONS] [DIRECTORY]
#
# Needs age, zstd, tar and python3, and room for three times the log in DIRECTORY (target/ when absent). A busy machine or a
# slow disk shows in every figure; the last column, processor time, is hardly touched by either. `sudo chrt -f 1` before it
# lets nothing else run meanwhile (nice does not: each session has its own share of the processors).
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in age age-keygen zstd tar python3; do
    command -v "$tool" > /dev/null || { echo "$0: $tool is needed (Debian: apt install age zstd tar python3)" >&2; exit 2; }
done
megabytes=${1:-500}
repetitions=${2:-5}
tarseal=${TARSEAL:-target/release/tarseal}
if [ -z "${TARSEAL:-}" ]; then
    cargo build --quiet --release --no-default-features --features cli --bin tarseal --example logs
fi
work=$(mktemp -d -p "${3:-target}")
trap 'rm -rf "$work"' EXIT
${LOGS:-target/release/examples/logs} "$work/big.log" $((megabytes * 1000000 / 1048576))
head -c 10240 "$work/big.log" > "$work/small.log"
tarseal=$(realpath "$tarseal")
cd "$work"
export TARSEAL_HOME=$PWD/home
"$tarseal" --quiet key new -o key > recipient
age-keygen -o age.key 2> /dev/null

python3 -u - "$tarseal" "$(age-keygen -y age.key)" "$repetitions" <<'PY'
import os, resource, shutil, statistics, subprocess, sys, time

tarseal, age, repetitions = sys.argv[1], sys.argv[2], int(sys.argv[3])
quiet = f"'{tarseal}' --quiet"


def seal(log, flags="--no-redact"):
    return f"{quiet} seal {log} {flags} --to recipient -o made.tarseal", "made.tarseal"


def peer_seal(log):
    return f"tar -c {log} | zstd -q -3 -T2 | age -r {age} > made.age", "made.age"


def unseal(sealed):
    return f"{quiet} open {sealed} --key key -o made.open", "made.open"


def peer_open(sealed):
    return f"mkdir made.x && age -d -i age.key {sealed} | zstd -q -d | tar -x -C made.x", "made.x"


def run(command):
    """Runs a command line; returns seconds by the clock and of the processors."""
    line, made = command
    shutil.rmtree(made) if os.path.isdir(made) else os.path.exists(made) and os.remove(made)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(["bash", "-o", "pipefail", "-c", line], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def sealed_as(command, name):
    run(command)
    os.rename(command[1], name)
    return os.path.getsize(name)


def compare(what, ours, theirs, times, note=""):
    """Runs both in turn and prints the medians as ratios: how many times as long the others take."""
    results = [(run(ours), run(theirs)) for _ in range(times)]
    median = lambda side, figure: statistics.median(pair[side][figure] for pair in results)
    wall, cpu = median(1, 0) / median(0, 0), median(1, 1) / median(0, 1)
    print(f"{what:34} {median(0, 0):8.3f} s  against {median(1, 0):8.3f} s   {wall:5.2f} x   processor {cpu:5.2f} x{note}")


big, big_age = sealed_as(seal("big.log"), "big.tarseal"), sealed_as(peer_seal("big.log"), "big.age")
sealed_as(seal("small.log"), "small.tarseal"), sealed_as(peer_seal("small.log"), "small.age")
length = os.path.getsize("big.log") // 1_000_000
print(f"a log of {length} MB; how many times as fast as tar | zstd -3 -T2 | age, medians of {repetitions}")
compare("seal, nothing redacted", seal("big.log"), peer_seal("big.log"), repetitions)
compare("open", unseal("big.tarseal"), peer_open("big.age"), repetitions)
compare("seal 10 KB", seal("small.log"), peer_seal("small.log"), 8 * repetitions)
compare("open 10 KB", unseal("small.tarseal"), peer_open("small.age"), 8 * repetitions)
compare("seal, redacted", seal("big.log", ""), peer_seal("big.log"), max(1, repetitions // 3), "  (the others redact nothing)")
print(f"size: {big / 1e6:.1f} MB against {big_age / 1e6:.1f} MB ({big / big_age:.3f})")
run(unseal("big.tarseal"))
subprocess.run(["cmp", "big.log", "made.open/big.log"], check=True)
PY
