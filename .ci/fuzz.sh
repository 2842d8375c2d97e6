#!/usr/bin/env bash
# fuzz.sh SECONDS [TARGET...]: looks for inputs that break a law, in all targets or in these, so long in each.
# What it finds on the way is kept in target/fuzz/corpus: the next run begins there.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"
cd "$repository"

seconds=$1
shift
[[ $seconds =~ ^[1-9][0-9]*$ ]] || fail "TIME is a number of seconds from 1 on, not '$seconds'."
# shellcheck disable=SC2046 # one argument a target
[ $# -gt 0 ] || set -- $(ls tests/fuzz/corpus)

for target; do
  [ -f "tests/fuzz/targets/$target.rs" ] || fail "There is no target '$target'. There are: $(ls tests/fuzz/corpus | xargs)."
done
"$cargo_fuzz" fuzz build --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none || fail "The targets do not build: see above."

failed=0
for target; do
  found=target/fuzz/corpus/$target
  artifacts=target/fuzz/artifacts/$target
  mkdir -p "$found" "$artifacts"
  printf '\n== %s ==\n' "$target"
  # No sanitizer: the crate forbids unsafe code. Debug assertions and overflow checks are on.
  RUST_LIB_BACKTRACE=0 "$cargo_fuzz" fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none "$target" \
    "$found" "tests/fuzz/corpus/$target" -- \
    -max_total_time="$seconds" -max_len=2048 -timeout=10 -print_final_stats=1 -artifact_prefix="$artifacts/" \
    2>&1 | grep --line-buffered -vE '^(#[0-9]+\s+(NEW|REDUCE|RELOAD)|	(NEW_FUNC|NEW_PC))' || {
    failed=1
    printf 'replay it: REPLAY=%s cargo test --test fuzz %s\n' "$(ls -t "$artifacts"/* | head -n 1)" "$target"
  }
done
[ "$failed" -eq 0 ] || fail "A law was broken: see above how to replay it."
