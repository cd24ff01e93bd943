#!/bin/sh
# A PostgreSQL server for this estate alone: made on the first start, with the user `ca4` and the password in CA4_STORE_PASSWORD.
#
#   postgres.sh DIRECTORY PORT
set -eu
directory=$1 port=$2
bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || {
  echo "there is no PostgreSQL server here: apt-get install postgresql" >&2
  exit 1
}
: "${CA4_STORE_PASSWORD:?is not set where the daemon was started}"

if [ "$(id -u)" = 0 ]; then
  # The server refuses to run as root.
  install -d -o postgres -g postgres -m 700 "$directory"
  exec setpriv --reuid=postgres --regid=postgres --init-groups sh "$0" "$@"
fi

if [ ! -d "$directory/data" ]; then
  umask 077
  rm -rf "$directory/data.new"
  printf '%s\n' "$CA4_STORE_PASSWORD" >"$directory/.password"
  "$bin/initdb" -D "$directory/data.new" -U ca4 -E UTF8 --no-locale -A scram-sha-256 --pwfile="$directory/.password"
  rm "$directory/.password"
  # The database with the user's own name, made while nobody can connect.
  echo 'CREATE DATABASE ca4;' | "$bin/postgres" --single -D "$directory/data.new" postgres >/dev/null
  mv -T "$directory/data.new" "$directory/data"
fi
exec "$bin/postgres" -D "$directory/data" -p "$port" -k '' -c listen_addresses=127.0.0.1
