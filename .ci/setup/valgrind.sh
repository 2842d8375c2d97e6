#!/usr/bin/env bash
# valgrind, whose callgrind counts instructions: the same number in each run, on a busy machine too.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/../lib.sh"

has valgrind && exit
apt_install valgrind || fail "valgrind is missing: run \`sudo apt-get install valgrind\`."
