#!/usr/bin/env bash
# rumqttd, a broker that ours is measured beside, built to be fast.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/../lib.sh"
cd "$repository"

version=0.20.0
root=target/bench/rumqttd-$version
[ -x "$root/bin/rumqttd" ] && exit
step "Build rumqttd $version" cargo install rumqttd --version "=$version" --locked --root "$root" --target-dir target/bench/build ||
  fail "rumqttd is missing: run \`cargo install rumqttd --version $version --locked --root $root\`."
