#!/usr/bin/env bash
# Everything that can be found wrong without running the code. Goes on after a failure and counts like a test suite.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"
cd "$repository"

passed=0 failed=0
check() { if step "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi; }

clippy() { cargo clippy --no-default-features "$@" -- -D warnings; }

check "Rust is formatted" cargo fmt --check
check "Rust of the benchmarks is formatted" cargo fmt --check --manifest-path tests/bench/load/Cargo.toml
check "Rust of the guard is formatted" cargo fmt --check --manifest-path tests/guard/Cargo.toml
check "clippy, the broker alone" clippy --features broker
check "clippy, the client alone" clippy --features client
check "clippy, the core" clippy --features broker,client
check "clippy, native and all tests" clippy --features broker,client,native --all-targets
check "clippy, the guard" cargo clippy --locked --manifest-path tests/guard/Cargo.toml --target-dir target/guard -- -D warnings
check "clippy, the load of the benchmarks" cargo clippy --locked --manifest-path tests/bench/load/Cargo.toml --target-dir target/bench/load -- -D warnings
check "clippy, wasm with the broker alone" clippy --features wasm,broker
check "clippy, wasm with the client alone" clippy --features wasm,client
check "clippy, wasm with both" clippy --features wasm,broker,client
check "The core builds for wasm" .ci/wasm cargo build --no-default-features --features broker,client --target "$wasm_target"
check "The documentation builds" env RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --features native

for folder in js js/docs worker www tests/interop; do
  if [ -f "$folder/package.json" ] && [ "$(npm --prefix "$folder" pkg get scripts.lint 2>/dev/null)" != "{}" ]; then
    check "npm run lint in $folder" npm --prefix "$folder" run lint
  fi
done

scripts=$(grep -rlE '^#!/usr/bin/env bash|^# shellcheck shell=bash' .ci)
# shellcheck disable=SC2016,SC2086 # the loop is the inner shell's; one argument a script
{
  check "bash reads every script" bash -c 'for script; do bash -n "$script" || exit; done' bash $scripts
  if has shellcheck; then check "shellcheck" shellcheck -x $scripts; fi
}

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
