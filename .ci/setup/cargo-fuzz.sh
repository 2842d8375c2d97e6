#!/usr/bin/env bash
# cargo-fuzz, which builds a target with libFuzzer. Stable Rust will do; libFuzzer itself is C++.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/../lib.sh"

first_of c++ g++ clang++ >/dev/null || apt_install g++ ||
  fail "A C++ compiler is missing: run \`sudo apt-get install g++\`."
[ -x "$cargo_fuzz" ] && exit
cargo_tool cargo-fuzz "$cargo_fuzz_version" --locked ||
  fail "cargo-fuzz is missing: run \`cargo install cargo-fuzz --version $cargo_fuzz_version --root ${cargo_fuzz%/bin/*}\`."
