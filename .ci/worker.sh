#!/usr/bin/env bash
# Runs the worker in workerd on loopback until Ctrl-C.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"

PORT=${PORT:-8787} exec npm --prefix "$repository/worker" run --silent dev
