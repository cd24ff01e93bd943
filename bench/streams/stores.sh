#!/bin/sh
# Documents a second into SQLite and into a PostgreSQL of its own, in batches as large as the store likes them best: bench/streams/stores.sh [BATCHES] > table
# Needs Debian's postgresql-15. fsync is on in both; PostgreSQL's settings are its defaults but for max_wal_size, so that no checkpoint falls into
# one run and not into the other.
set -eu
cd "$(dirname "$0")/../.."
batches=${1:-100}
dotnet build bench/streams/stores/Stoker.Bench.csproj -c Release -nologo -v quiet >&2
bench=$(ls artifacts/bin/Stoker.Bench/release*/Stoker.Bench | head -n 1)
work=$(mktemp -d)
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
port=54399
as=
if [ "$(id -u)" = 0 ]; then
  chown nobody "$work"
  as="setpriv --reuid=nobody --regid=nogroup --clear-groups env -C /"
fi
end() {
  $as "$bin/pg_ctl" -D "$work/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap end EXIT
$as "$bin/initdb" -D "$work/data" -A trust -U stoker -E UTF8 --no-locale >/dev/null
$as "$bin/pg_ctl" -D "$work/data" -w -l "$work/log" -o "-p $port -k $work -c listen_addresses= -c max_wal_size=4GB" start >/dev/null
$as "$bin/createdb" -h "$work" -p "$port" -U stoker bench
echo "| store | document | documents/s | batch, p50 ms | p99 ms |"
echo "|---|---|---|---|---|"
for address in "sqlite:$work/metadata.db" "postgres://stoker@localhost:$port/bench?host=$work"; do
  "$bench" "$address" "$batches" | sed 's/\t/ | /g; s/^/| /; s/$/ |/'
done
