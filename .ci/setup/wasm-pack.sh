#!/usr/bin/env bash
# wasm-pack, which runs the wasm tests in a browser.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/../lib.sh"

"$repository/.ci/wasm" wasm-pack --version >/dev/null 2>&1 && exit
cargo_tool wasm-pack "$wasm_pack_version" --locked ||
  fail "wasm-pack is missing: run \`cargo install wasm-pack --locked\`."
