# Threefold. `make` alone lists the targets.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo demo-postgres containers test upgrade torture torture-runs torture-binary measure bench simulate lint fmt web deps deny deb clean

# Passed on to the demo: make demo ARGS="--data /srv/threefold"
ARGS ?=
# Runs each test in a process of its own where cargo-nextest is installed; it knows no doc tests.
TESTS ?= $(if $(shell command -v cargo-nextest),cargo nextest run --locked && cargo test --locked --doc,cargo test --locked)
SIMULATION_TESTS ?= $(if $(shell command -v cargo-nextest),cargo nextest run,cargo test) --locked --package threefold-simulation

THREEFOLD := $(or $(CARGO_TARGET_DIR),target)/release/threefold
# What the browser tests start. A debug build reads the bundles from their folders.
THREEFOLD_DEBUG := $(abspath $(or $(CARGO_TARGET_DIR),target)/debug/threefold)
WEB := web
# Without what is made from the schema, which every check makes anew.
WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/public -type f -not -path '*/generated/*' -not -name '*.test.ts') \
  $(addprefix $(WEB)/,index.html vite.config.ts codegen.ts package.json tsconfig.app.json tsconfig.worker.json) api/schema.graphql
GRAPHIQL := web/graphiql
GRAPHIQL_SOURCES := $(shell find $(GRAPHIQL)/src -type f) $(addprefix $(GRAPHIQL)/,index.html vite.config.js package.json)
PACKAGES := $(WEB)/node_modules/.package-lock.json $(GRAPHIQL)/node_modules/.package-lock.json
export npm_config_audit := false
export npm_config_fund := false
# The browser is Debian's.
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Run three replicas on SQLite; installs and builds what is missing
	scripts/install-deps.sh demo
	$(MAKE) --no-print-directory web
	cargo build --locked --release --bin threefold
	$(THREEFOLD) demo $(ARGS)

demo-postgres: ## The same, each on a PostgreSQL server of its own
	scripts/install-deps.sh demo-postgres
	$(MAKE) --no-print-directory web
	cargo build --locked --release --bin threefold
	$(THREEFOLD) demo --database postgres $(ARGS)

# Where there are local base images, they are used: docs/containers.md.
COMPOSE := docker compose $(if $(BASES),--env-file $(BASES)) -f docker/compose.yaml

# In a project of its own, whose volumes are removed: what is served for real is another one. The names of the containers are the
# same in both, so it stops where that one has any.
containers: export COMPOSE_PROJECT_NAME := threefold-chaos
containers: ## Build and start seven containers for trying, break them while a client writes, and remove them
	$(COMPOSE) down --volumes
	@if docker container inspect expensestrackercontainer >/dev/null 2>&1; then \
	  echo "there are containers of Threefold already, which this would break: on this machine, take them down first"; exit 1; fi
	$(COMPOSE) build
	$(COMPOSE) up --detach --wait && docker/compose.chaos.sh; result=$$?; $(COMPOSE) down --volumes && exit $$result

test: ## Check the formatting, lint, and run every test; installs what is missing
	scripts/install-deps.sh test
	cargo fmt --check
	cargo clippy --locked --all-targets -- --deny warnings
	cargo clippy --locked --package threefold-simulation --all-targets -- --deny warnings
	$(MAKE) --no-print-directory web
	cd $(GRAPHIQL) && npm run check && npm test
	cd $(WEB) && npm run check && npm test
	$(MAKE) --no-print-directory torture-binary
	cargo build --locked --bin threefold
	$(TESTS)
	$(SIMULATION_TESTS)
	cd $(WEB) && THREEFOLD_BIN=$(THREEFOLD_DEBUG) npm run e2e

# The build that replicas are upgraded from: a tag, a commit, a branch.
PREVIOUS ?= $(or $(shell git describe --tags --abbrev=0 2>/dev/null),b1a8916)
PREVIOUS_HOME := $(abspath target/previous)

upgrade: ## Upgrade a cluster of an earlier build under load, replica by replica, and back: make upgrade PREVIOUS=<git revision>
	scripts/install-deps.sh test
	git worktree prune
	test -e $(PREVIOUS_HOME)/source/.git || git worktree add --detach $(PREVIOUS_HOME)/source $(PREVIOUS)
	git -C $(PREVIOUS_HOME)/source checkout --quiet --detach $(PREVIOUS)
	cd $(PREVIOUS_HOME)/source && CARGO_TARGET_DIR=$(PREVIOUS_HOME)/target cargo build --locked --bin threefold
	cargo build --locked --bin threefold
	THREEFOLD_PREVIOUS_BIN=$(PREVIOUS_HOME)/target/debug/threefold cargo test --locked -p threefold-tests --test mixed_builds -- --nocapture --test-threads=1

# The binary with failpoints, for tests only, beside the one without, which is what cargo leaves there in the end.
TORTURE_BINARY := $(or $(CARGO_TARGET_DIR),target)/debug/threefold-torture
torture-binary: ## Build the binary with failpoints that some tests need
	cargo build --locked --features threefold-api/failpoints --bin threefold
	cp -f $(THREEFOLD_DEBUG) $(TORTURE_BINARY).new
	mv -f $(TORTURE_BINARY).new $(TORTURE_BINARY)

# make torture MINUTES=30 DATABASE=postgres SEED=7 REPLICAS=5 ONLY=kill,partition REPORT=report.json
MINUTES ?= 30
DATABASE ?= sqlite
REPLICAS ?= 3
SEED ?=
ONLY ?=
REPORT ?=
PAUSE_MS ?=
TORTURE := $(abspath $(or $(CARGO_TARGET_DIR),target)/torture)
torture: ## Break a cluster for MINUTES while clients use it, and judge what they saw: docs/reliability.md
	cargo build --locked --profile torture --package threefold-api --features failpoints --bin threefold
	cp -f $(TORTURE)/threefold $(TORTURE)/threefold-torture
	cargo build --locked --profile torture --package threefold-tests --bin torture
	THREEFOLD_BIN=$(TORTURE)/threefold-torture THREEFOLD_TORTURE_BIN=$(TORTURE)/threefold-torture $(TORTURE)/torture run --minutes $(MINUTES) \
	  --database $(DATABASE) --replicas $(REPLICAS) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY)) $(if $(REPORT),--report $(REPORT)) $(if $(PAUSE_MS),--pause-ms $(PAUSE_MS))

# make torture-runs RUNS=6 MINUTES=20 SEED=101 DATABASE=postgres REPORTS=folder
RUNS ?= 6
REPORTS ?= .
torture-runs: ## RUNS of it one after the other, each with the next seed and a report of its own
	for seed in $$(seq $(or $(SEED),1) $$(($(or $(SEED),1) + $(RUNS) - 1))); do \
	  $(MAKE) --no-print-directory torture SEED=$$seed REPORT=$(REPORTS)/torture-$(DATABASE)-$$seed.json || exit 1; \
	done

# make measure DATABASE=postgres WHAT="failover --rounds 50"; also `follower` and `million --expenses 1000000`
WHAT ?= failover
measure: ## Measure what a bad day costs, with a release build: failover (beside etcd's), follower, million
	$(MAKE) --no-print-directory web
	cargo build --locked --release --bin threefold
	cargo build --locked --package threefold-tests --bin measure
	THREEFOLD_BIN=$(THREEFOLD) $(dir $(THREEFOLD_DEBUG))measure --database $(DATABASE) $(WHAT)

# make bench QUICK=1; make bench BENCH="--clients 64 --only etcd --only quorum"
BENCH ?= $(if $(QUICK),--clients 1 --clients 64 --turns 2 --seconds 4 --warm-up 1 --sustained-seconds 20 --expenses 20000)
BENCHMARKS ?= docs/benchmarks
bench: ## Compare writes with PostgreSQL's own replication and etcd, reads with PostGraphile, and put a report into docs/benchmarks; QUICK=1 takes minutes
	scripts/install-deps.sh bench
	npm --prefix tests/postgraphile ci --no-audit --no-fund
	$(MAKE) --no-print-directory web
	cargo build --locked --release --bin threefold
	cargo build --locked --profile torture --package threefold-tests --bin bench
	THREEFOLD_BIN=$(THREEFOLD) $(TORTURE)/bench $(BENCH) --report $(BENCHMARKS)

# A failed seed is printed, and repeats: make simulate SEED=4711. docs/simulation.md says more.
SEEDS ?= 300
FROM ?= 1
GIVEN_REPLICAS := $(if $(filter command environment,$(word 1,$(origin REPLICAS))),$(REPLICAS))
simulate: ## Run the replication code in a simulation: SEEDS=300 FROM=1 REPLICAS=3|5, or SEED=4711
	cargo build --locked --profile torture --package threefold-simulation
	$(TORTURE)/simulate $(if $(SEED),--seed $(SEED) --print,--seeds $(SEEDS) --from $(FROM)) \
	  $(if $(GIVEN_REPLICAS),--replicas $(GIVEN_REPLICAS)) $(if $(BREAK),--break $(BREAK))

lint: $(PACKAGES) ## Check the formatting and lint
	cargo fmt --check
	cargo clippy --locked --all-targets -- --deny warnings
	cargo clippy --locked --package threefold-simulation --all-targets -- --deny warnings
	cd $(GRAPHIQL) && npm run check
	cd $(WEB) && npm run check

fmt: $(PACKAGES) ## Format the Rust code, and mend what the linter of the page can
	cargo fmt
	cd $(WEB) && npx --no-install eslint --fix .

web: $(WEB)/dist/index.html $(GRAPHIQL)/dist/index.html ## Build the page and GraphiQL, which the binary embeds

$(WEB)/dist/index.html: $(WEB)/node_modules/.package-lock.json $(WEB_SOURCES)
	cd $(WEB) && npm run build

$(GRAPHIQL)/dist/index.html: $(GRAPHIQL)/node_modules/.package-lock.json $(GRAPHIQL_SOURCES)
	cd $(GRAPHIQL) && npm run build

$(PACKAGES): %/node_modules/.package-lock.json: %/package-lock.json
	cd $* && npm ci
	touch $@

deps: ## Install what the demos and the tests need
	scripts/install-deps.sh test

deny: ## Check licences, advisories and sources of the crates, where cargo-deny is installed
	@if command -v cargo-deny >/dev/null; then cargo deny --locked check; else echo "cargo-deny is not installed: nothing was checked"; fi

# What a package has beside the binary, made by the binary itself.
PACKAGE := target/package

deb: ## Build the Debian package into target/debian, where cargo-deb is installed
	@command -v cargo-deb >/dev/null || { echo "cargo-deb is missing: cargo install cargo-deb --locked"; exit 1; }
	scripts/install-deps.sh demo
	$(MAKE) --no-print-directory web
	cargo build --locked --release --bin threefold
	$(MAKE) --no-print-directory $(PACKAGE)
	cargo deb --locked --no-build --package threefold-api --output target/debian/

.PHONY: $(PACKAGE)
$(PACKAGE):
	rm -rf $@
	mkdir -p $@/completions
	$(THREEFOLD) man $@/man
	$(THREEFOLD) completions bash >$@/completions/threefold
	$(THREEFOLD) completions zsh >$@/completions/_threefold
	$(THREEFOLD) completions fish >$@/completions/threefold.fish
	$(THREEFOLD) config example >$@/threefold.toml

clean: ## Remove everything that was built, and the packages from npm
	cargo clean
	rm -rf $(WEB)/dist $(WEB)/node_modules $(WEB)/src/graphql/generated $(WEB)/test-results $(WEB)/e2e/screenshots
	rm -rf $(GRAPHIQL)/dist $(GRAPHIQL)/node_modules tests/clients/node_modules
