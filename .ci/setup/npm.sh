#!/usr/bin/env bash
# npm.sh [FOLDER...]: the npm packages of these folders, or of all that have any, exactly as locked.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/../lib.sh"
cd "$repository"

[ $# -gt 0 ] || set -- js js/docs worker www tests/interop tests/packaging tests/bench
has npm || fail "Node is missing: install Node 20 or newer from https://nodejs.org."
node=$(node --version)
major=${node#v}
[ "${major%%.*}" -ge 20 ] || fail "Node $node is too old: install Node 20 or newer from https://nodejs.org."

for folder; do
  [ -f "$folder/package.json" ] || continue
  wanted="$node $(git hash-object "$folder/package.json" "$folder/package-lock.json" | tr '\n' ' ')"
  installed=$folder/node_modules/.installed
  [ "$(cat "$installed" 2>/dev/null)" = "$wanted" ] && continue
  step "Install the npm packages of $folder" npm --prefix "$folder" ci ||
    fail "The npm packages of $folder are missing: run \`npm --prefix $folder ci\`."
  mkdir -p "$folder/node_modules" # npm makes none for a folder without dependencies
  printf '%s\n' "$wanted" >"$installed"
done
