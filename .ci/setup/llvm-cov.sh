#!/usr/bin/env bash
# cargo-llvm-cov, and the tools of the compiler's own LLVM, which read what instrumented tests write.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/../lib.sh"

if [ -z "${LLVM_COV:-}" ] && ! compgen -G "$(rustc --print sysroot)/lib/rustlib/*/bin/llvm-cov" >/dev/null; then
  { has rustup && step "Ask rustup for llvm-tools" rustup component add llvm-tools; } ||
    fail "llvm-cov is missing: run \`rustup component add llvm-tools\`, or name LLVM's in LLVM_COV and LLVM_PROFDATA."
fi
[ -x "$cargo_llvm_cov" ] && exit
cargo_tool cargo-llvm-cov "$cargo_llvm_cov_version" --locked ||
  fail "cargo-llvm-cov is missing: run \`cargo install cargo-llvm-cov --version $cargo_llvm_cov_version --root ${cargo_llvm_cov%/bin/*}\`."
