#!/usr/bin/env bash
# Builds js/wasm: the broker and client as one wasm file, and the glue that every JavaScript platform loads it with.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"
cd "$repository"

largest=215000 # bytes, gzipped
stack=131072   # bytes: Rust's default of 1 MB is paid by each instance; trees of 256 levels need more than 32 KB
inline=15      # LLVM's threshold; its default for size, 75, makes 3 % more bytes and no more speed

raw=target/$wasm_target/wasm-release/mqlite.wasm
bound=target/ci/wasm
final=js/wasm/mqlite_bg.wasm
stamp=target/ci/wasm.built

# Not `wasm-pack build`: it wants a cdylib in Cargo.toml, which cannot be built without std.
.ci/wasm cargo rustc --lib --crate-type cdylib --profile wasm-release --no-default-features --features wasm \
  --target "$wasm_target" -- -C link-arg=-zstack-size=$stack -C llvm-args=-inline-threshold=$inline

inputs=$(git hash-object "$raw" .ci/build-wasm.sh js/package-lock.json)
if [ "$(cat "$stamp" 2>/dev/null)" != "$inputs" ] || [ ! -f "$final" ]; then
  rm -rf "$bound"
  .ci/wasm wasm-bindgen "$raw" --target web --experimental-reset-state-function --out-dir "$bound" --out-name mqlite
  js/node_modules/.bin/wasm-opt -O3 "$bound/mqlite_bg.wasm" -o "$bound/mqlite_bg.wasm"
  rm -rf js/wasm && cp -R "$bound" js/wasm
  printf '%s\n' "$inputs" >"$stamp"
fi

gzipped=$(gzip -9 -c "$final" | wc -c)
printf 'wasm: %d bytes, %d gzipped\n' "$(wc -c <"$final")" "$gzipped"
[ "$gzipped" -le $largest ] || fail "The wasm is larger than $largest bytes gzipped: find what grew with \`twiggy top $final\`."
