#!/usr/bin/env bash
# The standard library for wasm: from rustup, or on a machine where rustup cannot download, built from Debian's sources.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/../lib.sh"

debian_sysroot=/usr
built_by=$debian_sysroot/lib/rustlib/$wasm_target/lib/built-by

main() {
  has cargo || fail "Rust is missing: install it from https://rustup.rs."
  has_wasm_std "$(rustc --print sysroot)" && exit
  [ "$(cat "$built_by" 2>/dev/null)" = "$(debian_rustc_version)" ] && exit

  has rustup || fail "This Rust cannot build for wasm: install rustup, then run \`rustup target add $wasm_target\`."
  step "Ask rustup for $wasm_target" rustup target add "$wasm_target" && exit
  printf '  rustup cannot download it here; Debian has its sources\n'

  { apt_install rustc-web cargo-web rust-web-src && apt_install "$(newest_linker)"; } ||
    fail "The wasm standard library is missing: run \`rustup target add $wasm_target\`, or \`.ci/setup/wasm-target.sh\` as root."
  step "Name Debian's compiler for rustup" rustup toolchain link debian "$debian_sysroot"
  step "Build the standard library for wasm" build_std ||
    fail "The wasm standard library was not built into $debian_sysroot: run \`.ci/setup/wasm-target.sh\` as root."
}

debian_rustc_version() { "$debian_sysroot/bin/rustc" --version 2>/dev/null || echo none; }

# The linker must read what the compiler's LLVM writes: the one of its own version, else the newest.
newest_linker() {
  local llvm offered
  llvm=$("$debian_sysroot/bin/rustc" -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
  offered=$(apt-cache search --names-only '^lld-[0-9]+$' | cut -d ' ' -f 1 | sort -V)
  grep -x "lld-$llvm" <<<"$offered" || tail -n 1 <<<"$offered"
}

# Builds an empty crate together with std, and moves the libraries to where the compiler looks for them.
# Without bitcode in them our release build could not optimise across crates.
build_std() (
  crate=$(mktemp -d) && trap 'rm -rf "$crate"' EXIT && cd "$crate" && mkdir src &&
    printf '#![no_std]\n' >src/lib.rs &&
    printf '[package]\nname = "empty"\nedition = "2021"\n[profile.release]\npanic = "abort"\n' >Cargo.toml &&
    RUSTC_BOOTSTRAP=1 RUSTC=$debian_sysroot/bin/rustc CARGO_TARGET_DIR=$crate/target \
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-C embed-bitcode=yes" \
      "$debian_sysroot/bin/cargo" build --release -Z build-std=std,panic_abort,test --target "$wasm_target" &&
    rm "target/$wasm_target/release/deps/"libempty-* &&
    as_root rm -rf "$(dirname "$built_by")" &&
    as_root mkdir -p "$(dirname "$built_by")" &&
    as_root cp "target/$wasm_target/release/deps/"lib*.rlib "$(dirname "$built_by")" &&
    debian_rustc_version | as_root tee "$built_by"
)

main
