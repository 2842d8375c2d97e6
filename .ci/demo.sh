#!/usr/bin/env bash
# Serves the built page on loopback until Ctrl-C. Takes the next free port when PORT is taken, and prints the URL.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"

exec npm --prefix "$repository/www" run --silent preview -- --host 127.0.0.1 --port "${PORT:-8000}"
