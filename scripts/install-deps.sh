#!/usr/bin/env bash
# Installs what a make target needs and the machine does not have, from Debian's packages, without a question.
#
#   scripts/install-deps.sh demo            a C compiler, Node
#   scripts/install-deps.sh demo-postgres   and PostgreSQL
#   scripts/install-deps.sh bench           and etcd
#   scripts/install-deps.sh test            and PostgreSQL, Chromium, Caddy, Prometheus, systemd-analyze, man
#
# Rust (with cargo, rustfmt and clippy) and Node are taken as given; where Node is missing, Debian's own is tried.
set -euo pipefail

readonly NODE_AT_LEAST=20.19.0
# Where Debian's package puts the servers: not on the PATH.
readonly DEBIAN_POSTGRES='/usr/lib/postgresql/*/bin/initdb'
# What Chromium falls back on for characters that the page's own fonts do not have.
readonly FONTS='/usr/share/fonts/truetype/*/*'
# Keeps the PostgreSQL package from setting up and starting a server of its own: Threefold starts its own, elsewhere.
readonly NO_MAIN_CLUSTER=/etc/postgresql-common/createcluster.d/threefold-install.conf
# A machine that has just started is often installing updates by itself. Seconds to wait for that.
readonly APT=(-o DPkg::Lock::Timeout=300)
# What Debian asks before it starts a service that was just installed.
readonly POLICY=/usr/sbin/policy-rc.d

# Files that are there only while packages are installed.
clean_up=()
trap '[[ ${#clean_up[@]} -eq 0 ]] || as_root rm -f "${clean_up[@]}"' EXIT

fail() {
  echo "install-deps: $*" >&2
  exit 1
}

has() {
  command -v "$1" >/dev/null
}

has_postgres() {
  has initdb || compgen -G "$DEBIAN_POSTGRES" >/dev/null
}

has_chromium() {
  [[ -x ${CHROMIUM:-/usr/bin/chromium} ]]
}

has_fonts() {
  compgen -G "$FONTS" >/dev/null
}

as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif has sudo; then
    sudo "$@"
  else
    fail "to install packages, run this as root, or install sudo"
  fi
}

install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get "${APT[@]}" install --yes --quiet --no-install-recommends "$@" </dev/null
}

keep_postgres_from_starting() {
  as_root mkdir -p "$(dirname "$NO_MAIN_CLUSTER")"
  clean_up+=("$NO_MAIN_CLUSTER")
  as_root tee "$NO_MAIN_CLUSTER" >/dev/null <<<'create_main_cluster = false'
}

# Debian's packages would make these services of this machine; the tests start their own, elsewhere. So while they are
# installed nothing is started, and afterwards they are taken out of what starts with the machine.
install_services() {
  if [[ -e $POLICY ]]; then
    # Somebody has decided already what may be started here.
    install "$@"
  else
    clean_up+=("$POLICY")
    as_root tee "$POLICY" >/dev/null <<<$'#!/bin/sh\nexit 101'
    as_root chmod +x "$POLICY"
    install "$@"
    as_root rm -f "$POLICY"
  fi
  local service
  for service in "$@"; do
    if [[ -e /etc/init.d/$service ]]; then
      as_root update-rc.d "$service" disable >/dev/null || true
    fi
    if has systemctl; then
      as_root systemctl disable --quiet --now "$service.service" || true
    fi
  done
}

need_rust() {
  has cargo || fail "cargo is missing: install Rust first (https://rustup.rs)"
}

need_node() {
  local version newest
  version=$(node --version) || fail "node does not start"
  version=${version#v}
  newest=$(printf '%s\n' "$NODE_AT_LEAST" "$version" | sort --version-sort | tail -n 1)
  [[ $newest == "$version" ]] || fail "Node $version is too old: $NODE_AT_LEAST or newer is needed (https://nodejs.org)"
  has npm || fail "npm is missing"
}

main() {
  local wants_postgres=no wants_browser=no wants_etcd=no
  case ${1:-} in
    demo) ;;
    demo-postgres) wants_postgres=yes ;;
    bench) wants_postgres=yes wants_etcd=yes ;;
    test) wants_postgres=yes wants_browser=yes ;;
    *) fail "usage: $0 demo|demo-postgres|bench|test" ;;
  esac
  need_rust

  local missing=() services=()
  has make || missing+=(make)
  has cc || missing+=(gcc libc6-dev)
  has node || missing+=(nodejs)
  has npm || missing+=(npm)
  if [[ $wants_postgres == yes ]] && ! has_postgres; then
    missing+=(postgresql)
  fi
  if [[ $wants_browser == yes ]]; then
    has_chromium || missing+=(chromium)
    has_fonts || missing+=(fonts-liberation)
    # They check the units and the man pages.
    has systemd-analyze || missing+=(systemd)
    has man || missing+=(man-db)
    has caddy || services+=(caddy)
    has prometheus && has promtool || services+=(prometheus)
  fi

  if [[ $wants_etcd == yes ]]; then
    has etcd || services+=(etcd-server)
  fi

  if [[ ${#missing[@]} -gt 0 || ${#services[@]} -gt 0 ]]; then
    has apt-get || fail "these are missing, and there is no apt-get to install them: ${missing[*]} ${services[*]}"
    as_root apt-get "${APT[@]}" update --quiet
    if [[ " ${missing[*]} " == *" postgresql "* ]]; then
      keep_postgres_from_starting
    fi
    [[ ${#missing[@]} -eq 0 ]] || install "${missing[@]}"
    [[ ${#services[@]} -eq 0 ]] || install_services "${services[@]}"
  fi
  need_node
}

main "$@"
