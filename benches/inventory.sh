#!/usr/bin/env bash
# How fast a large inventory goes through `diagnose --format csv`, as ratios to DuckDB that classifies the same rows
# by twelve rules (job A of ../shared/bench), in turn and in one run.
#
#   benches/inventory.sh SCRATCH [ROUNDS [ROWS]]
#
# Needs ../shared/bench beside the checkout, python3, and 2 GB in SCRATCH, which must lie outside the checkout. Only
# ratios mean anything: the same machine may be twice as slow an hour later.
set -euo pipefail
scratch=${1:?usage: benches/inventory.sh SCRATCH [ROUNDS [ROWS]]}
rounds=${2:-5} rows=${3:-2000000}
cd "$(dirname "$0")/.."
bench=$(cd ../shared/bench && pwd)
mkdir -p "$scratch"
scratch=$(cd "$scratch" && pwd)

[ -x "$scratch/venv/bin/python" ] || python3 -m venv "$scratch/venv"
"$scratch/venv/bin/python" -c 'import duckdb' 2> /dev/null || "$scratch/venv/bin/pip" install --quiet duckdb
CARGO_TARGET_DIR="$scratch/target-gen" cargo build --release --quiet --manifest-path "$bench/gen/Cargo.toml"
cargo build --release --locked --quiet
cmkdiag="$PWD/target/release/cmkdiag"
cd "$scratch"
inventory="inventory-$rows.csv"
[ -s "$inventory" ] || target-gen/release/gen_inventory --rows "$rows" --format csv --out "$inventory"

diagnose="$cmkdiag diagnose $inventory --format csv --quiet"
python="$scratch/venv/bin/python"
duckdb="cd $bench/peers && $python peer_duckdb.py a $scratch/$inventory $scratch/duckdb.csv $scratch/duckdb.json"
# Old results go between the rounds: to take a large file apart is no work of who writes the next one.
python3 "$bench/measure.py" -n "$rounds" -w 1 --quiet 10 --rows "$rows" --ref duckdb \
  "clean=rm -f duckdb.csv columns.csv whole.csv" \
  "duckdb=bash -c '$duckdb'" \
  "same-columns=bash -c '$diagnose --columns key_id,region,account_id,class,rules > columns.csv'" \
  "all-columns=bash -c '$diagnose > whole.csv'" \
  "discarded=bash -c '$diagnose > /dev/null'"
ls -l ./*.csv
