#!/usr/bin/env bash
# Starts a database that has a password of its own: made before the first start, and kept in a volume that only this
# database and its server see, in the form of PostgreSQL's password files.
set -euo pipefail

readonly FILE=/var/lib/threefold/database/pgpass
# The user that the server runs as. A password file is read only where nobody else may.
readonly READER=10001:10001

export POSTGRES_USER=threefold POSTGRES_DB=threefold

if [[ ! -s $FILE ]]; then
  umask 077
  password=$(od --address-radix=n --read-bytes=32 --format=x1 /dev/urandom | tr --delete ' \n')
  echo "*:*:$POSTGRES_DB:$POSTGRES_USER:$password" >"$FILE.new"
  chown "$READER" "$FILE.new"
  # Whole, or not there.
  mv "$FILE.new" "$FILE"
  umask 022
fi
# The image's own entry point wants it in the environment.
POSTGRES_PASSWORD=$(cut --delimiter=: --fields=5 "$FILE")
export POSTGRES_PASSWORD
exec docker-entrypoint.sh "$@"
