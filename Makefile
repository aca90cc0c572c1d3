# Threefold. `make` alone lists the targets.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo demo-postgres test lint fmt web deps deny clean

# Passed on to the demo: make demo ARGS="--data /srv/threefold"
ARGS ?=
# Runs each test in a process of its own where cargo-nextest is installed; it knows no doc tests.
TESTS ?= $(if $(shell command -v cargo-nextest),cargo nextest run --locked --workspace && cargo test --locked --workspace --doc,cargo test --locked --workspace)

THREEFOLD := $(or $(CARGO_TARGET_DIR),target)/release/threefold
GRAPHIQL := web/graphiql
GRAPHIQL_SOURCES := $(shell find $(GRAPHIQL)/src -type f) $(addprefix $(GRAPHIQL)/,index.html vite.config.js package.json)
export npm_config_audit := false
export npm_config_fund := false

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

test: ## Check the formatting, lint, and run every test; installs what is missing
	scripts/install-deps.sh test
	cargo fmt --check
	cargo clippy --locked --workspace --all-targets -- --deny warnings
	$(MAKE) --no-print-directory web
	cd $(GRAPHIQL) && npm run check && npm test
	cargo build --locked --bin threefold
	$(TESTS)

lint: ## Check the formatting and lint
	cargo fmt --check
	cargo clippy --locked --workspace --all-targets -- --deny warnings

fmt: ## Format the Rust code
	cargo fmt

web: $(GRAPHIQL)/dist/index.html ## Build GraphiQL, which the binary embeds

$(GRAPHIQL)/dist/index.html: $(GRAPHIQL)/node_modules/.package-lock.json $(GRAPHIQL_SOURCES)
	cd $(GRAPHIQL) && npm run build

$(GRAPHIQL)/node_modules/.package-lock.json: $(GRAPHIQL)/package-lock.json
	cd $(GRAPHIQL) && npm ci
	touch $@

deps: ## Install what the demos and the tests need
	scripts/install-deps.sh test

deny: ## Check licences, advisories and sources of the crates, where cargo-deny is installed
	@if command -v cargo-deny >/dev/null; then cargo deny --locked check; else echo "cargo-deny is not installed: nothing was checked"; fi

clean: ## Remove everything that was built, and the packages from npm
	cargo clean
	rm -rf $(GRAPHIQL)/dist $(GRAPHIQL)/node_modules tests/clients/node_modules
