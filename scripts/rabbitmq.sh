#!/usr/bin/env bash
# Install RabbitMQ of another Debian release, with that release's Erlang and C library, into a folder:
#   scripts/rabbitmq.sh trixie|forky|sid FOLDER
# Nothing of this system changes, and no right is needed but that to make namespaces. Then
#   RABBITMQ_SERVER=FOLDER/bin/rabbitmq-server make test
set -euo pipefail

suite="${1:-}" folder="${2:-}"
[ -n "$suite" ] && [ -n "$folder" ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian' | grep -v security | head -n 1)
[ -n "$mirror" ] || { echo "No Debian mirror is configured here: run apt-get update first." >&2; exit 1; }

mkdir -p "$folder/bin" "$folder/root"
folder=$(realpath "$folder") apt="$folder/apt"
mkdir -p "$apt"/{state/lists/partial,cache/archives/partial}
echo "deb [signed-by=$keyring] $mirror $suite main" > "$apt/sources.list"
options=(-qq -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root
  -o Dir::State="$apt/state" -o Dir::State::status=/dev/null -o Dir::Cache="$apt/cache" -o APT::Install-Recommends=false)
apt-get "${options[@]}" update
# what those packages take for granted in any system, as no package names it
apt-get "${options[@]}" -y --download-only install rabbitmq-server bash coreutils dash grep hostname libc-bin sed util-linux

root="$folder/root"
mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{proc,dev,sys,tmp,etc,root}
for name in bin sbin lib lib64; do [ -e "$root/$name" ] || ln -s "usr/$name" "$root/$name"; done
for package in "$apt"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$root"; done
rm -rf "$apt"
for name in passwd group hosts resolv.conf nsswitch.conf; do [ -e "/etc/$name" ] && cp "/etc/$name" "$root/etc/"; done

# Each program sees that root, this system's processes, network and /tmp, and where it was started.
for name in rabbitmq-server rabbitmqctl rabbitmq-queues rabbitmq-diagnostics rabbitmq-upgrade; do
  cat > "$folder/bin/$name" <<WRAPPER
#!/bin/sh
[ "\$(id -u)" -eq 0 ] || user=--map-root-user
exec unshare --mount \$user sh -c '
  for each in proc dev sys tmp; do mount --rbind /\$each "$root/\$each"; done
  exec chroot "$root" sh -c "cd \"\\\$0\" 2>/dev/null || cd /; exec \"\\\$@\"" "\$@"
' sh "\$PWD" /usr/lib/rabbitmq/bin/$name "\$@"
WRAPPER
  chmod +x "$folder/bin/$name"
done
echo "$("$folder/bin/rabbitmqctl" version) in $folder: RABBITMQ_SERVER=$folder/bin/rabbitmq-server"
