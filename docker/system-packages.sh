#!/usr/bin/env bash
# Install the few Debian packages Nightshift leans on, if they are missing: `system-packages.sh runtime`.
set -euo pipefail

case "${1:?say which: runtime}" in
  runtime) files=(/usr/lib/x86_64-linux-gnu/libgomp.so.1) packages=(libgomp1) ;;
  *) echo "unknown set $1" >&2; exit 2 ;;
esac

missing=no
for file in "${files[@]}"; do
  # other architectures keep their libraries elsewhere
  ldconfig -p 2>/dev/null | grep -q "${file##*/}" || [ -e "$file" ] || command -v "${file##*/}" >/dev/null || missing=yes
done
[ $missing = no ] && exit 0
if [ "$(id -u)" -eq 0 ]; then run=(); elif command -v sudo >/dev/null; then run=(sudo); else
  echo "Please install: ${packages[*]} (as root: apt-get install ${packages[*]}), then try again." >&2
  exit 1
fi
"${run[@]}" apt-get -qq update
DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get -qq install -y --no-install-recommends "${packages[@]}" >/dev/null
