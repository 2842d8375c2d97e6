#!/usr/bin/env bash
# openssl, which makes the certificates that other programs' clients are tested with.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/../lib.sh"

has openssl && exit
apt_install openssl || fail "openssl is missing: run \`sudo apt-get install openssl\` or \`brew install openssl\`."
