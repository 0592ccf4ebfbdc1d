#!/bin/sh
# Find Chromium, or install Debian's where that is possible. The tests say loudly when there is none.
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
if command -v apt-get >/dev/null 2>&1; then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo -n"
  $sudo apt-get update -qq >/dev/null 2>&1
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq chromium fonts-dejavu-core >/dev/null 2>&1
fi
command -v chromium >/dev/null 2>&1 || echo "No Chromium found and none could be installed; tests in a browser will be skipped, or fail where CI is set."
exit 0
