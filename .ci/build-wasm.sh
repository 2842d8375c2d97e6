#!/usr/bin/env bash
# Builds js/wasm: the client alone, and the broker with the client, each as a wasm file with the glue that every JavaScript
# platform loads it with. One file for both engines is smaller than one for each by what they share.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"
cd "$repository"

# Bytes, gzipped.
declare -A largest=([client]=73500 [broker]=268000)
declare -A features=([client]=client [broker]=broker,client)

stack=131072 # bytes: Rust's default of 1 MB is paid by each instance; trees of 256 levels need more than 32 KB
inline=50    # LLVM's threshold; its default, 225, makes a quarter more bytes

# Cargo keeps one cdylib in a folder: in the same one each build would undo the other's.
built=${CARGO_TARGET_DIR:-target}/wasm
stamp=target/ci/wasm.built

main() {
  local name inputs
  compile client & # most of the work takes one core
  compile broker
  wait $!

  inputs=$(git hash-object "$(raw client)" "$(raw broker)" .ci/build-wasm.sh js/package-lock.json)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$inputs" ] || [ ! -f js/wasm/broker_bg.wasm ]; then
    rm -rf js/wasm
    for name in client broker; do bind $name; done
    printf '%s\n' "$inputs" >"$stamp"
  fi
  for name in client broker; do weigh $name; done
}

# Not `wasm-pack build`: it wants a cdylib in Cargo.toml, which cannot be built without std.
compile() {
  .ci/wasm cargo rustc --lib --crate-type cdylib --profile wasm-release --no-default-features --features "wasm,${features[$1]}" \
    --target "$wasm_target" --target-dir "$built/$1" -- -C link-arg=-zstack-size=$stack -C llvm-args=-inline-threshold=$inline
}

raw() { printf '%s' "$built/$1/$wasm_target/wasm-release/mqlite.wasm"; }

bind() {
  .ci/wasm wasm-bindgen "$(raw "$1")" --target web --experimental-reset-state-function --out-dir js/wasm --out-name "$1"
  js/node_modules/.bin/wasm-opt -O3 --strip-producers --strip-target-features "js/wasm/$1_bg.wasm" -o "js/wasm/$1_bg.wasm"
}

weigh() {
  local file=js/wasm/$1_bg.wasm gzipped
  gzipped=$(node -p 'zlib.gzipSync(fs.readFileSync(process.argv[1]), { level: 9 }).length' "$file")
  printf '%s.wasm: %d bytes, %d gzipped\n' "$1" "$(wc -c <"$file")" "$gzipped"
  [ "$gzipped" -le "${largest[$1]}" ] ||
    fail "It is larger than ${largest[$1]} bytes gzipped: find what grew with \`twiggy top $file\`."
}

main
