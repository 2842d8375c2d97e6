#!/usr/bin/env bash
# Which lines of the core its own tests run: `target/llvm-cov/html` shows the others.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"
cd "$repository"

"$cargo_llvm_cov" llvm-cov clean --workspace
"$cargo_llvm_cov" llvm-cov --no-report
"$cargo_llvm_cov" llvm-cov report --html
"$cargo_llvm_cov" llvm-cov report --lcov --output-path target/llvm-cov/lines
node .ci/coverage.mjs target/llvm-cov/lines
