#!/usr/bin/env bash
# mosquitto_pub and mosquitto_sub: clients nobody here wrote, which the native tests talk to.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/../lib.sh"

has mosquitto_pub && has mosquitto_sub && exit
apt_install mosquitto-clients ||
  fail "mosquitto_pub and mosquitto_sub are missing: run \`sudo apt-get install mosquitto-clients\` or \`brew install mosquitto\`."
