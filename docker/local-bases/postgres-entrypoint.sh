#!/usr/bin/env bash
# What Threefold needs of the official PostgreSQL image's entry point, for Debian's own package: on the first start, make
# the database POSTGRES_DB for POSTGRES_USER with the password in POSTGRES_PASSWORD; then run the server.
set -euo pipefail

bin=$(echo /usr/lib/postgresql/*/bin)
export PATH="$bin:$PATH"
export PGDATA=${PGDATA:-/var/lib/postgresql/data}

if [[ $EUID -eq 0 ]]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown postgres: "$PGDATA" /var/run/postgresql
  chmod 0700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [[ ! -s $PGDATA/PG_VERSION ]]; then
  initdb --username="$POSTGRES_USER" --pwfile=<(echo "$POSTGRES_PASSWORD") --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  # By the socket alone, so that nobody meets a server that is not set up.
  pg_ctl start --wait --options="-c listen_addresses=''"
  createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl stop --wait --mode=fast
fi
exec "$@" -c listen_addresses='*'
