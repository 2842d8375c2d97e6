#!/usr/bin/env bash
# fuzz-corpus.sh [TARGET...]: brings to tests/fuzz/corpus what `make fuzz` has found, as few inputs as reach the same code.
# Inputs with a name of their own, those that once broke a law, stay.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"
cd "$repository"

# shellcheck disable=SC2046 # one argument a target
[ $# -gt 0 ] || set -- $(ls tests/fuzz/corpus)

for target; do
  [ -d "target/fuzz/corpus/$target" ] || fail "\`make fuzz TARGET=$target\` has found nothing yet, or there is no such target."
done

for target; do
  kept=tests/fuzz/corpus/$target
  fewer=$(mktemp -d)
  # How often code is reached matters where a few steps are all. Of hundreds of steps, each one more would count.
  case $target in broker | client | restore) counters=0 ;; *) counters=1 ;; esac
  step "Minimise $target" "$cargo_fuzz" fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none "$target" \
    "$fewer" "$kept" "target/fuzz/corpus/$target" -- -set_cover_merge=1 -use_counters=$counters
  for input in "$kept"/*; do
    if [[ ${input##*/} =~ ^[0-9a-f]{40}$ ]]; then rm "$input"; fi
  done
  cp "$fewer"/* "$kept" && rm -r "$fewer"
  printf '  %s: %d inputs, %d bytes\n' "$target" "$(find "$kept" -type f | wc -l)" "$(cat "$kept"/* | wc -c)"
done
