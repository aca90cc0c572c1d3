#!/usr/bin/env bash
# Breaks the seven containers of docker/compose.yaml while a client writes, and shows that nothing was lost, nothing doubled,
# and that all three databases are equal at the end.
#
#   docker/compose.chaos.sh [ROUNDS]      6 unless said otherwise; about 15 seconds each
#
# The containers must be up, and are started again however it ends. COMPOSE_PROJECT_NAME says which they are, where they are not
# those of the project "threefold". The client adds expenses called "chaos ..." through the client container; they stay. It
# ends with 0 if everything held, and with 1 and the reason if not. Needs bash, curl and docker compose.
set -euo pipefail
cd "$(dirname "$0")"

readonly ROUNDS=${1:-6}
readonly SERVERS=(expensestrackercontainer expensestrackercontainer2 expensestrackercontainer3)
readonly DATABASES=(postgrescontainer1 postgrescontainer2 postgrescontainer3)
# Seconds that the client goes on between one breakage and the next, and that all may take to be well again.
readonly BREAK=4
readonly RECOVERY=180
# Seconds for which one expense is tried again before the client gives up: longer than any election here.
readonly PATIENCE=120

run=$(date +%s)-$$
readonly run
work=$(mktemp -d)
writer=
# What is down at the moment, and we took down.
broken=()

# This folder's file, whatever COMPOSE_FILE says from elsewhere.
compose() {
  docker compose -f compose.yaml "$@"
}

say() {
  echo "$(date +%T) $*"
}

fail() {
  echo "compose.chaos: $*" >&2
  exit 1
}

cleanup() {
  touch "$work/stop"
  if [[ ${#broken[@]} -gt 0 ]]; then
    docker start "${broken[@]}" >/dev/null || true
  fi
  if [[ -n $writer ]]; then
    wait "$writer" || true
  fi
  rm -rf "$work"
}
trap cleanup EXIT

# request BODY: the answer, or nothing. The token is not on the command line, where others could read it.
request() {
  curl --silent --max-time 15 --config "$work/curl" --data-binary "$1" "$url" || true
}

# Adds one expense after the other. Each has its own key and is sent until it is settled, so that a lost answer neither
# loses nor doubles it.
write() {
  local number=0 key body answer deadline
  while [[ ! -e $work/stop ]]; do
    number=$((number + 1))
    key=$(cat /proc/sys/kernel/random/uuid)
    # shellcheck disable=SC2016 # GraphQL has variables of its own.
    body='{"query":"mutation($input: AddExpenseInput!) { addExpense(input: $input) { expense { id } userErrors { code } } }",'
    body+='"variables":{"input":{"description":"chaos '$run' '$number'","amount":"1.00","currency":"EUR","spentOn":"2026-01-01","idempotencyKey":"'$key'"}}}'
    deadline=$((SECONDS + PATIENCE))
    until answer=$(request "$body") && [[ $answer == *'"userErrors":[]'* && $answer == *'"id":"'* ]]; do
      if [[ $answer == *'"userErrors":[{'* ]]; then
        echo "an expense was refused: $answer" >"$work/refused"
        return
      fi
      if ((SECONDS > deadline)); then
        echo "no expense was taken for $PATIENCE seconds; the last answer was: $answer" >"$work/refused"
        return
      fi
      echo "$number" >>"$work/retries"
      sleep 0.2
    done
    echo "$number" >>"$work/stored"
  done
}

stored() {
  if [[ -e $work/stored ]]; then wc -l <"$work/stored"; else echo 0; fi
}

# The number of the server that leads, counted from 0; 0 if nobody knows.
leader() {
  local server table number
  for server in "${SERVERS[@]}"; do
    table=$(compose exec -T "$server" threefold status 2>/dev/null) || continue
    number=$(sed -n 's/^│ *\([0-9]\) ┆ leader .*/\1/p' <<<"$table")
    if [[ -n $number ]]; then
      echo $((number - 1))
      return
    fi
  done
  echo 0
}

# break_and_mend ROUND: what is broken changes from round to round.
break_and_mend() {
  local round=$1 leads other
  leads=$(leader)
  other=$(((leads + 1) % 3))
  case $((round % 6)) in
    0) harm kill "${SERVERS[$leads]}" ;;
    1) harm stop "${SERVERS[$other]}" ;;
    2) harm kill "${DATABASES[$other]}" ;;
    3) harm stop "${DATABASES[$leads]}" ;;
    4) harm kill "${SERVERS[$leads]}" "${DATABASES[$leads]}" ;;
    5) harm kill "${SERVERS[@]}" ;;
  esac
}

harm() {
  local how=$1
  shift
  say "$how $*"
  broken=("$@")
  # It says there, too, how it gets on.
  compose "$how" "$@" >/dev/null 2>"$work/harm" || fail "$how $*: $(cat "$work/harm")"
  sleep "$BREAK"
  say "start $*; $(stored) expenses are stored"
  docker start "$@" >/dev/null
  broken=()
  sleep "$BREAK"
}

wait_until_healthy() {
  local deadline=$((SECONDS + RECOVERY)) name unwell
  while true; do
    unwell=
    for name in "${SERVERS[@]}" "${DATABASES[@]}" expensestrackerfrontendcontainer; do
      if [[ $(docker inspect --format '{{.State.Health.Status}}' "$name") != healthy ]]; then
        unwell+=" $name"
      fi
    done
    [[ -n $unwell ]] || return 0
    ((SECONDS < deadline)) || fail "not healthy after $RECOVERY seconds:$unwell"
    sleep 1
  done
}

sql() {
  compose exec -T "$1" psql --username=threefold --dbname=threefold --no-psqlrc --tuples-only --no-align --set=ON_ERROR_STOP=1 --command="$2"
}

# Revision and hash of the history, and a digest of every row of every table that clients see, in one look.
digest() {
  local tables table query="BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 'revision', revision, encode(history_hash, 'hex') FROM replica_state;"
  tables=$(sql "$1" "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('replica_state', 'seaql_migrations') ORDER BY tablename")
  [[ $tables == *expense* ]] || fail "$1 has no tables"
  for table in $tables; do
    query+=" SELECT '$table', count(*), md5(coalesce(string_agg(md5(to_jsonb(t)::text), '' ORDER BY md5(to_jsonb(t)::text)), '')) FROM \"$table\" t;"
  done
  sql "$1" "$query COMMIT" | grep --invert-match --extended-regexp '^(BEGIN|COMMIT)$'
}

# Fails unless the three become equal: a follower may be a moment behind.
compare() {
  local deadline=$((SECONDS + 30)) number
  while true; do
    for number in 0 1 2; do
      digest "${DATABASES[$number]}" >"$work/digest$number"
    done
    if cmp --silent "$work/digest0" "$work/digest1" && cmp --silent "$work/digest0" "$work/digest2"; then
      return
    fi
    if ((SECONDS > deadline)); then
      diff --unified "$work/digest0" "$work/digest1" >&2 || true
      diff --unified "$work/digest0" "$work/digest2" >&2 || true
      fail "the databases differ"
    fi
    sleep 1
  done
}

# Every expense that was stored is there once, and no other of this run, in each database.
count() {
  local database there
  sort "$work/stored" >"$work/expected"
  for database in "${DATABASES[@]}"; do
    there=$work/there
    sql "$database" "SELECT split_part(description, ' ', 3) FROM expense WHERE description LIKE 'chaos $run %'" | sort >"$there"
    diff "$work/expected" "$there" >"$work/difference" || fail "in $database (< stored, > there): $(head -n 5 "$work/difference")"
  done
}

main() {
  local token round before retries=0
  [[ $ROUNDS =~ ^[1-9][0-9]?$ ]] || fail "usage: $0 [ROUNDS], 1 to 99"
  command -v curl >/dev/null || fail "curl is missing"
  token=$(compose exec -T expensestrackercontainer threefold token) || fail "start the containers first: docker compose -f docker/compose.yaml up --detach --wait"
  (
    umask 077
    printf 'header = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\n' "$token" >"$work/curl"
  )
  url="http://$(compose port expensestrackerfrontendcontainer 8080)/graphql" || fail "the client container is not up"
  readonly url
  wait_until_healthy
  write &
  writer=$!

  for ((round = 0; round < ROUNDS; round++)); do
    before=$(stored)
    break_and_mend "$round"
    [[ ! -e $work/refused ]] || fail "$(cat "$work/refused")"
    say "round $((round + 1)) of $ROUNDS: $(($(stored) - before)) expenses"
  done
  touch "$work/stop"
  wait "$writer"
  writer=
  [[ ! -e $work/refused ]] || fail "$(cat "$work/refused")"
  say "everything is mended"
  wait_until_healthy
  [[ $(stored) -gt 0 ]] || fail "nothing was stored at all"
  compare
  count
  cat "$work/digest0"
  compose exec -T expensestrackercontainer threefold status
  if [[ -e $work/retries ]]; then retries=$(wc -l <"$work/retries"); fi
  say "all three databases are equal; $(stored) expenses, each there once; $retries tries were repeated"
}

main
