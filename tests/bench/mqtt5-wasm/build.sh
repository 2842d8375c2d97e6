#!/usr/bin/env bash
# Builds the peer mqtt5-wasm into target/bench/mqtt5-wasm/{node,page}: the broker of the crate, pinned by Cargo.lock, for speed.
# shellcheck source=../../../.ci/lib.sh
source "$(dirname "$0")/../../../.ci/lib.sh"
cd "$repository"

into=target/bench/mqtt5-wasm
target=${CARGO_TARGET_DIR:-target}/mqtt5-wasm
crate=tests/bench/mqtt5-wasm
stamp=$into/built
inputs=$(git hash-object $crate/Cargo.toml $crate/Cargo.lock $crate/src/lib.rs $crate/build.sh)
[ "$(cat $stamp 2>/dev/null)" = "$inputs" ] && exit

.ci/wasm cargo build --release --locked --manifest-path $crate/Cargo.toml --target "$wasm_target" --target-dir "$target"
for platform in node:nodejs page:web; do
  .ci/wasm wasm-bindgen "$target/$wasm_target/release/mqtt5_wasm_peer.wasm" --target "${platform#*:}" --out-dir "$into/${platform%:*}" --out-name broker
  js/node_modules/.bin/wasm-opt -O3 "$into/${platform%:*}/broker_bg.wasm" -o "$into/${platform%:*}/broker_bg.wasm"
done
printf '{ "type": "commonjs" }\n' >$into/node/package.json
printf '%s\n' "$inputs" >$stamp
