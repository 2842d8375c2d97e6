#!/usr/bin/env bash
# A Chrome or Chromium and the driver that belongs to it. CHROME and CHROMEDRIVER name others than the usual ones.
# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/../lib.sh"

chrome_path >/dev/null && chromedriver_path >/dev/null && exit
apt_install chromium chromium-driver ||
  fail "Chromium and its driver are missing: run \`sudo apt-get install chromium chromium-driver\`, or name yours in CHROME and CHROMEDRIVER."
