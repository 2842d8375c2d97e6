# shellcheck shell=bash
# What the scripts of this folder share. Sourced, never run.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mqlite # tools, keyed by version: a fresh clone on the same machine finds them

# shellcheck disable=SC2034 # read by the scripts that source this
wasm_target=wasm32-unknown-unknown
# shellcheck disable=SC2034
wasm_pack_version=0.15.1
cargo_fuzz_version=0.13.2
# shellcheck disable=SC2034
cargo_fuzz=$cache/cargo-fuzz-$cargo_fuzz_version/bin/cargo-fuzz
cargo_llvm_cov_version=0.9.1
# shellcheck disable=SC2034
cargo_llvm_cov=$cache/cargo-llvm-cov-$cargo_llvm_cov_version/bin/cargo-llvm-cov

# fail SENTENCE: ends the script. The sentence names the command that would help.
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# step WHAT COMMAND...: runs the command quietly and says how long it took; shows the end of its output when it fails.
step() {
  local what=$1 began=$SECONDS log status=0
  shift
  log=$(mktemp)
  printf '  %s ... ' "$what"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" -eq 0 ]; then
    printf '%d s\n' $((SECONDS - began))
  else
    printf 'failed after %d s\n' $((SECONDS - began))
    tail -n 40 "$log" >&2
  fi
  rm -f "$log"
  return "$status"
}

# first_of NAME...: the path of the first command there is.
first_of() {
  local name
  for name in "$@"; do command -v "$name" && return; done
  return 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# The browser and its driver, as paths. On a Mac Chrome is not on PATH.
chrome_path() {
  if [ -n "${CHROME:-}" ]; then
    first_of "$CHROME"
  else
    first_of chromium chromium-browser google-chrome google-chrome-stable \
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
  fi
}
chromedriver_path() { first_of "${CHROMEDRIVER:-chromedriver}"; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}
may_be_root() { as_root true 2>/dev/null; }

# apt_install PACKAGE...: false where that is impossible (no apt, or neither root nor sudo without a password).
apt_install() {
  has apt-get && may_be_root || return 1
  local lists=$cache/apt-lists
  if [ -z "$(find "$lists" -mmin -60 2>/dev/null)" ]; then
    step "Refresh the package lists" as_root apt-get update || return 1
    mkdir -p "$cache" && touch "$lists"
  fi
  step "Install $*" as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# locked_version CRATE: its version in Cargo.lock.
locked_version() {
  awk -v name="name = \"$1\"" '$0 == name { getline; gsub(/version = |"/, ""); print; exit }' "$repository/Cargo.lock"
}

# cargo_tool CRATE VERSION [OPTION...]: installs a command into the cache. Fast to build matters more here than fast to run.
cargo_tool() {
  local crate=$1 version=$2
  shift 2
  step "Build $crate $version" env CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=false \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_STRIP=true \
    cargo install "$crate" --version "=$version" --root "$cache/$crate-$version" "$@"
}

# has_wasm_std SYSROOT: whether that compiler can build for wasm.
has_wasm_std() {
  compgen -G "$1/lib/rustlib/$wasm_target/lib/libstd-*.rlib" >/dev/null
}
