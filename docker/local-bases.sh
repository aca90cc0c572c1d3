#!/usr/bin/env bash
# Makes base images from Debian's packages and from this machine's own Rust and Node, for where no image registry can be
# reached. They take the place of the official ones by the settings in docker/local-bases/bases.env:
#
#   docker/local-bases.sh
#   docker compose --env-file docker/local-bases/bases.env -f docker/compose.yaml up
#
# Needs root, docker and mmdebstrap, on Debian; Rust and Node as in CONTRIBUTING.md. An image that exists is left as it
# is: to have it made anew, remove it first (docker image rm threefold-base:rust).
set -euo pipefail
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "local-bases: $*" >&2
  exit 1
}

# The release that this machine runs: its Rust and Node find there the libraries that they know.
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
readonly suite
# What this machine trusts, which may be more than Debian does.
readonly TRUST=/etc/ssl/certs/ca-certificates.crt

# debian NAME PACKAGES [FOLDER]: an image of a minimal Debian, these packages, and what is in the folder, with what the
# array `changes` says of how it runs.
debian() {
  local name=$1 packages=$2 extra=${3:-} tree
  tree="$work/$name"
  mmdebstrap --quiet --variant=minbase --include="$packages" "$suite" "$tree"
  if [[ -n $extra ]]; then
    cp -a "$extra/." "$tree/"
  fi
  if [[ -f $tree$TRUST ]]; then
    cp "$TRUST" "$tree$TRUST"
  fi
  rm -rf "$tree/var/cache/apt" "$tree/var/lib/apt/lists"
  tar -C "$tree" --numeric-owner -c . | docker import "${changes[@]}" - "threefold-base:$name" >/dev/null
  rm -rf "$tree"
}

has_image() {
  docker image inspect "threefold-base:$1" >/dev/null 2>&1
}

make_rust() {
  local extra="$work/extra-rust"
  mkdir -p "$extra/usr/local"
  cp -a "$(rustc --print sysroot)/." "$extra/usr/local/"
  rm -rf "$extra/usr/local/share/doc"
  changes=()
  debian rust ca-certificates,gcc,libc6-dev "$extra"
}

make_node() {
  local extra="$work/extra-node" modules
  modules=$(npm root --global)
  mkdir -p "$extra/usr/local/bin" "$extra/usr/local/lib/node_modules"
  cp "$(command -v node)" "$extra/usr/local/bin/node"
  cp -a "$modules/npm" "$extra/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$extra/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$extra/usr/local/bin/npx"
  # Node trusts what it was built with, unless told otherwise.
  changes=(--change "ENV NODE_EXTRA_CA_CERTS=$TRUST")
  debian node ca-certificates,libstdc++6 "$extra"
}

make_caddy() {
  # Debian's is an old one: docker/Caddyfile says what that needs.
  changes=(--change 'ENV THREEFOLD_BUFFERS=buffer_requests')
  debian caddy caddy,wget
}

make_postgres() {
  local extra="$work/extra-postgres"
  mkdir -p "$extra/usr/local/bin"
  install -m 0755 local-bases/postgres-entrypoint.sh "$extra/usr/local/bin/docker-entrypoint.sh"
  changes=(--change 'ENTRYPOINT ["docker-entrypoint.sh"]' --change 'CMD ["postgres"]')
  debian postgres postgresql "$extra"
}

[[ -n $suite ]] || fail "this machine is no Debian release"
[[ $EUID -eq 0 ]] || fail "run this as root"
for program in docker mmdebstrap rustc node npm; do
  command -v "$program" >/dev/null || fail "$program is missing"
done

for name in rust node caddy postgres; do
  if has_image "$name"; then
    echo "threefold-base:$name is there"
  else
    echo "threefold-base:$name is made"
    "make_$name"
  fi
done
