#!/usr/bin/env bash
# Install the Debian packages that Nightshift needs, if they are missing: system-packages.sh runtime|services|image
set -euo pipefail

case "${1:-}" in
  runtime) # the OpenMP library of Paddle, the library of the sandbox, and a font for PDFs that name Chinese, Japanese or
    # Korean fonts without them
    ldconfig -p | grep -q libgomp.so.1 && ldconfig -p | grep -q libseccomp.so.2 && [ -e /usr/share/fonts/truetype/wqy/wqy-microhei.ttc ] && exit 0
    packages=(libgomp1 libseccomp2 fonts-wqy-microhei)
    ;;
  image) # the same, and what a container's first process is
    packages=(libgomp1 libseccomp2 fonts-wqy-microhei tini)
    ;;
  services) # what the tests need: the broker, whose own service is not started, a font to draw Chinese pages with, a
    # browser to look at pages with, Prometheus to scrape metrics and test alerts with, systemd to check units with, and
    # iproute2 for networks
    [ -x /usr/bin/systemd-analyze ] && [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] && [ -e /usr/share/fonts/truetype/wqy/wqy-zenhei.ttc ] && [ -x /usr/bin/chromium ] && [ -x /usr/bin/promtool ] && command -v ip >/dev/null && exit 0
    packages=(rabbitmq-server fonts-wqy-zenhei chromium prometheus systemd iproute2)
    ;;
  *)
    echo "say which: runtime, services or image" >&2
    exit 2
    ;;
esac

if [ "$(id -u)" -eq 0 ]; then sudo=(); elif command -v sudo >/dev/null; then sudo=(sudo); else
  echo "Please install ${packages[*]} (as root: apt-get install ${packages[*]}), then try again." >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
"${sudo[@]}" apt-get -qq update
"${sudo[@]}" apt-get -qq install -y --no-install-recommends "${packages[@]}" >/dev/null
