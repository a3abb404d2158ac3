#!/usr/bin/env bash
# How fast audit logs go through `usage --format csv`, as ratios to DuckDB that does the same (job B of
# ../shared/bench), to a pass of serde_json and to inflating alone, in turn and in one run; and how much memory it takes.
#
#   benches/usage.sh SCRATCH [ROUNDS [EVENTS]]
#
# Needs ../shared/bench beside the checkout, python3, and 13 GB in SCRATCH for 2,000,000 events, which must lie outside
# the checkout. Only ratios mean anything: the same machine may be twice as slow an hour later.
set -euo pipefail
scratch=${1:?usage: benches/usage.sh SCRATCH [ROUNDS [EVENTS]]}
rounds=${2:-5} events=${3:-2000000}
cd "$(dirname "$0")/.."
bench=${BENCH:-$(cd ../shared/bench && pwd)}
mkdir -p "$scratch"
scratch=$(cd "$scratch" && pwd)

[ -x "$scratch/venv/bin/python" ] || python3 -m venv "$scratch/venv"
python="$scratch/venv/bin/python"
"$python" -c 'import duckdb' 2> /dev/null || "$scratch/venv/bin/pip" install --quiet duckdb
CARGO_TARGET_DIR="$scratch/target-gen" cargo build --release --quiet --manifest-path "$bench/gen/Cargo.toml"
target=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --release --locked --quiet --example limits
cargo build --release --locked --quiet
cmkdiag="$target/release/cmkdiag" limits="$target/release/examples/limits"
cd "$scratch"

generate() { # NAME EVENTS [OPTION...]: the same seed gives the same keys, however many events there are
  local name=$1 count=$2
  shift 2
  [ -e "$name" ] || target-gen/release/gen_events --events "$count" "$@" --out "$name"
}
generate plain.jsonl "$events"
generate twice.jsonl $((2 * events))
generate few.jsonl "$events" --kms-per-mille 100
[ -s plain.jsonl.gz ] || gzip -6 -k plain.jsonl
if [ ! -d arrays ]; then
  rm -rf arrays.new
  generate arrays.new "$events" --format array --files 200
  gzip -6 arrays.new/*.json
  mv arrays.new arrays
fi

measure() { # REFERENCE COMMAND...
  local reference=$1
  shift
  python3 "$bench/measure.py" -n "$rounds" -w 1 --quiet 10 --rows "$events" --mb "$mb" --ref "$reference" "$@"
}
mb=$(($(stat -c %s plain.jsonl) / 1000000))
usage() { echo "bash -c '$cmkdiag usage $1 --format csv --quiet ${2:-} > ours.csv'"; }
duckdb() { echo "bash -c 'cd $bench/peers && $python peer_duckdb.py b $scratch/duckdb.csv $scratch/duckdb.json $1'"; }
same() { cmp ours.csv duckdb.csv && echo "the outputs are equal"; }

echo "B1, B2, B8: one file of JSON Lines"
measure duckdb "duckdb=$(duckdb "$scratch/plain.jsonl")" "usage=$(usage plain.jsonl)" \
  "usage-one-thread=$(usage plain.jsonl '--jobs 1')" "serde-one-thread=$limits serde plain.jsonl" "read=bash -c 'cat plain.jsonl > /dev/null'"
same
echo "B3, B4: the same as one .gz"
measure duckdb "duckdb=$(duckdb "$scratch/plain.jsonl.gz")" "usage=$(usage plain.jsonl.gz)" \
  "inflate=$limits inflate plain.jsonl.gz"
same
echo "B5: the same as 200 arrays, each a .json.gz"
measure duckdb "duckdb=$(duckdb "$scratch/arrays/*.gz")" "usage=$(usage arrays)" \
  "inflate=bash -c '$limits inflate arrays/*.gz'"
same
echo "B6: one event in ten is of KMS"
measure duckdb "duckdb=$(duckdb "$scratch/few.jsonl")" "usage=$(usage few.jsonl)"
same
echo "B7: memory (anon MB), of so many events and of twice as many"
measure once "once=$(usage plain.jsonl)" "twice=$(usage twice.jsonl)"
