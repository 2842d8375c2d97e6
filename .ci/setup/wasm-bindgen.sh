#!/usr/bin/env bash
# wasm-bindgen and its test runner, of exactly the version in Cargo.lock: any other refuses our wasm.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/../lib.sh"

version=$(locked_version wasm-bindgen)
[ "$("$repository/.ci/wasm" wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $version" ] && exit
# Not --locked: the lock file of 0.2.130 names a crate that the registry no longer has.
cargo_tool wasm-bindgen-cli "$version" ||
  fail "wasm-bindgen is missing: run \`cargo install wasm-bindgen-cli --version $version\`."
