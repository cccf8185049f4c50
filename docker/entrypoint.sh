#!/bin/sh
# Start a command in an image: a service that lacks the settings that have no default in a container ends here.
set -eu

missing=""
need() {
  for name in "$@"; do
    eval "value=\${$name:-}"
    [ -n "$value" ] || missing="$missing${missing:+ and }$name"
  done
}

case "$*" in
  celery*" worker"* | celery*" beat"* | "nightshift exporter"*) need NIGHTSHIFT_BROKER_URL NIGHTSHIFT_STORE_URL ;;
  celery*) need NIGHTSHIFT_BROKER_URL ;;
esac
# A file of settings (docs/reference/settings.md) may have them; the program itself says what is wrong there.
if [ -n "$missing" ] && [ -z "${NIGHTSHIFT_ENV_FILE:-}" ] && [ ! -e .env ]; then
  echo "nightshift: this container needs $missing in its environment (docs/how-to/docker.md)." >&2
  exit 2
fi
exec "$@"
