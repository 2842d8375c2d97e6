#!/usr/bin/env bash
# The wasm tests, in headless Chrome.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"
cd "$repository"

exec .ci/wasm wasm-pack test --headless --chrome --chromedriver "$(chromedriver_path)" -- \
  --no-default-features --features wasm --test wasm
