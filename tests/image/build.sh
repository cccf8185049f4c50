#!/usr/bin/env bash
# Build the image `cpu` and stand-ins for those of docker/compose.yaml, without any registry of images, then start
# docker/compose.yaml and test it: build.sh FOLDER PYTEST. As root, on Debian 12; 15 GB in FOLDER, which may be deleted.
set -euo pipefail
[ "$(id -u)" -eq 0 ] || { echo "make image-check runs containers: run it as root." >&2; exit 1; }
mkdir -p "$1"
folder=$(realpath "$1") pytest=$2
cd "$(dirname "$0")/../.."

export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get -qq update
apt-get -qq install -y --no-install-recommends debootstrap buildah podman netavark aardvark-dns iptables runc >/dev/null

# An engine of its own under FOLDER. runc: crun of Debian 12 refuses hybrid control groups. No file limits: a sandbox may
# refuse Podman's own.
cat >"$folder/storage.conf" <<END
[storage]
driver = "overlay"
graphroot = "$folder/store"
runroot = "$folder/run"
END
cat >"$folder/containers.conf" <<END
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
tmp_dir = "$folder/run/libpod"
[network]
network_backend = "netavark"
network_config_dir = "$folder/networks"
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=4096:4096", "nproc=16384:16384"]
END
export CONTAINERS_STORAGE_CONF=$folder/storage.conf CONTAINERS_CONF=$folder/containers.conf BUILDAH_ISOLATION=chroot

mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian' | grep -v security | head -n 1)
# NAME SUITE PACKAGES: a base image made by debootstrap, which trusts the authorities that this machine trusts.
base() {
  buildah inspect --type image "localhost/base:$1" >/dev/null 2>&1 && return
  script=/usr/share/debootstrap/scripts/$2
  [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
  debootstrap --variant=minbase --include="ca-certificates,wget,$3" "$2" "$folder/$2" "$mirror" "$script"
  cp /usr/local/share/ca-certificates/*.crt "$folder/$2/usr/local/share/ca-certificates/" 2>/dev/null || true
  chroot "$folder/$2" update-ca-certificates
  rm -rf "$folder/$2"/var/cache/apt/archives/*.deb "$folder/$2"/var/lib/apt/lists/*
  certificates=/etc/ssl/certs/ca-certificates.crt
  printf 'FROM scratch\nCOPY . /\nENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin SSL_CERT_FILE=%s PIP_CERT=%s\n' \
    $certificates $certificates >"$folder/$2.Dockerfile"
  buildah bud -q -t "localhost/base:$1" -f "$folder/$2.Dockerfile" "$folder/$2"
}
base bookworm bookworm python3,python3-venv
base rabbitmq forky rabbitmq-server,docker-compose

buildah bud -q --layers --build-arg BASE=localhost/base:rabbitmq -f tests/image/rabbitmq.Dockerfile -t localhost/check-rabbitmq tests/image
for each in swift prometheus; do
  buildah bud -q --layers --build-arg BASE=localhost/base:bookworm -f "tests/image/$each.Dockerfile" -t "localhost/check-$each" tests/image
done
nice buildah bud --layers --build-arg BASE=localhost/base:bookworm -f docker/Dockerfile \
  --ignorefile docker/Dockerfile.dockerignore --target cpu -t nightshift:cpu .
podman history localhost/nightshift:cpu --format '{{.Size}}\t{{.CreatedBy}}' | cut -c1-100

# The compose of the newer Debian, with Podman in Docker's place.
compose=$folder/forky/usr/libexec/docker/cli-plugins/docker-compose
podman system service --time=0 "unix://$folder/podman.sock" &
trap 'kill %1' EXIT
sleep 2
DOCKER_HOST=unix://$folder/podman.sock ENGINE=podman COMPOSE=$compose "$pytest" tests/image -v --timeout=3600
