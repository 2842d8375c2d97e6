#!/usr/bin/env bash
# The tests of the wasm crate, in a browser. They hear what a native run of the same inputs came to.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"
cd "$repository"

native=$(cargo test --quiet --test determinism -- --nocapture | sed -n 's/^native: //p')
[ -n "$native" ] || fail "The native run failed: run \`cargo test --test determinism\`."
NATIVE_ACTIONS=$native .ci/browser .ci/wasm wasm-pack test --headless --chrome
