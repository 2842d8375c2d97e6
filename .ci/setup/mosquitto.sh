#!/usr/bin/env bash
# mosquitto and its clients, which nobody here wrote. The tests start the server themselves and need no service.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/../lib.sh"

PATH=$PATH:/usr/sbin:/usr/local/sbin # where Debian keeps the server
has mosquitto && has mosquitto_pub && has mosquitto_sub && exit
apt_install mosquitto mosquitto-clients ||
  fail "mosquitto or its clients are missing: run \`sudo apt-get install mosquitto mosquitto-clients\` or \`brew install mosquitto\`."
