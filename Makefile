# Every command of this repository. Set-up, builds and suites are small scripts in .ci/.

SHELL := bash
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:

SUITES := rust wasm js guard native client worker spec tab page packaging

# Each run of suites counts anew.
ifeq ($(MAKELEVEL),0)
ifneq ($(filter lint test test-%,$(MAKECMDGOALS)),)
$(shell rm -f target/ci/tally)
endif
endif
$(shell mkdir -p target/ci)

.PHONY: help setup demo worker build test bench spec fuzz corpus coverage rates guard costs kill cuts evict attack reload load screenshots sim reference lint clean FORCE

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@printf '  make test-NAME   Run one suite alone: $(SUITES)\n'
	@printf '  make spec-NAME   Run the scripts on another host: asleep tcp ws worker worker-asleep wasm; on all, with a table: all\n'

demo: target/ci/www.built ## Serve a page with a broker in it: port 8000, or PORT=n
	@node www/serve.mjs

worker: target/ci/www.built npm-worker ## Run the worker locally: port 8787, or PORT=n; DATA=folder keeps its state
	@PORT=$${PORT:-8787} DATA=$(and $(DATA),$(abspath $(DATA))) npm --prefix worker run --silent dev

build: target/ci/www.built target/ci/worker.built ## Build the package, the page, the worker and the native command
	cargo build --release --features native

test: ## Run every suite
	@for suite in $(SUITES); do $(MAKE) test-$$suite; done; .ci/tally

spec: ## Run the scripts of tests/spec in-process
	@node .ci/spec.mjs in-process

sim: ## Simulate SEEDS=n worlds, 20,000 by default, or SEED=n alone; LOG=1 shows what its broker does
	@SEEDS=$${SEEDS:-20000} CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true cargo test --release --target-dir target/sim --test sim every_seed -- --nocapture

kill: ## Kill the native server under load, ROUNDS=n times, 200 by default; SEED=n for the same moments
	@MQLITE_ROUNDS=$${ROUNDS:-200} $${SEED:+env MQLITE_SEED=$$SEED} \
		cargo test --quiet --features native --test native kill:: -- --nocapture

cuts: target/ci/js.built npm-interop setup-mosquitto ## Cut our client's connections to each server while it publishes; MESSAGES=n, CUTS=n, SEED=n
	@cargo build --quiet --features native
	@MESSAGES=$${MESSAGES:-10000} CUTS=$${CUTS:-50} npm --prefix tests/interop run --silent cuts

evict: target/ci/js.built npm-worker ## Put the worker's rooms to sleep between any two packets, and kill workerd under load
	@npm --prefix worker run --silent evict

attack: target/ci/worker.built ## Tell how much longer messages take while others attack their room; KIND=name, ATTACKERS=n, LOAD=part or RATE=n, WINDOWS=n, SECONDS=n
	@npm --prefix worker run --silent attack

load: target/ci/www.built npm-interop setup-browser ## Tell how busy the console is with 5,000 messages a second, and its heap; RATE=n, MESSAGES=n, TOPICS=n, SLOWER=n
	@.ci/browser npm --prefix tests/interop run --silent load

screenshots: target/ci/www.built npm-interop setup-browser ## Make the pictures of the console in README.md anew
	@.ci/browser npm --prefix tests/interop run --silent screenshots

reload: target/ci/js.built npm-interop setup-browser ## End the tab that a broker is in, in each way; ROUNDS=n times in the midst of messages; SEED=n for the same moments
	@.ci/browser npm --prefix tests/interop run --silent reload

lint: ## Check formatting, types, lints and documentation
	@.ci/suite lint $(MAKE) suite-lint

reference: npm-docs ## Write the package's reference, js/docs/api, anew from its types
	@npm --prefix js/docs run --silent reference

fuzz: setup-fuzz ## Look for inputs that break a law: 60 s a target, or TIME=n; TARGET=name for one
	@.ci/fuzz.sh $${TIME:-60} $$TARGET

corpus: setup-fuzz ## Keep the fewest of the inputs that `make fuzz` found, for the tests to replay
	@.ci/fuzz-corpus.sh $$TARGET

coverage: setup-llvm-cov ## Tell which part of the core's lines the Rust tests run
	@.ci/coverage.sh

bench: target/ci/worker.built npm-bench setup-mosquitto setup-browser ## Measure MQlite beside its peers; ONLY=pattern, REPEATS=n, QUICK=1, WRITE=1
	@cargo build --quiet --release --features native
	@.ci/browser npm --prefix tests/bench run --silent bench

rates: ## Tell how many messages a second the core routes
	@cargo bench --quiet --bench rates

guard: ## Compare what the hot paths cost with tests/guard/snapshot.json, or write that anew: ACCEPT=1
	@$(MAKE) suite-guard

costs: target/ci/worker.built ## Count what messages cost on Cloudflare, and write the table of worker/DEPLOY.md
	@npm --prefix worker run --silent costs

setup: setup-wasm setup-wasm-pack setup-browser setup-mosquitto setup-openssl setup-valgrind npm-js npm-docs npm-worker npm-www npm-interop npm-packaging ## Install what all of these need

clean: ## Remove what was built
	rm -rf target js/dist js/wasm www/dist worker/dist worker/dist-console

# Suites. What a suite needs is set up and built inside it, so that a failure there counts too.

$(SUITES:%=test-%): test-%:
	@.ci/suite $* $(MAKE) suite-$*

suite-lint: target/ci/js.built npm-docs npm-worker npm-www npm-interop
	@.ci/lint.sh

suite-rust:
	cargo test --features native --no-fail-fast

suite-wasm: setup-wasm setup-wasm-pack setup-browser
	@.ci/test-wasm.sh

suite-js: target/ci/js.built
	npm --prefix js test
	node --test tests/bench/harness.test.mjs

# A profile and a target folder of its own: neither flags nor features of other builds move its counts.
suite-guard: target/ci/wasm.built setup-valgrind
	@env -u RUSTFLAGS cargo build --quiet --release --locked --manifest-path tests/guard/Cargo.toml --target-dir $${CARGO_TARGET_DIR:-target}/guard
	@node tests/guard/guard.mjs

suite-native: target/ci/js.built npm-interop setup-mosquitto setup-openssl
	cargo build --features native
	npm --prefix tests/interop run native

suite-client: target/ci/js.built npm-interop setup-mosquitto
	cargo build --features native
	npm --prefix tests/interop run client

suite-worker: target/ci/www.built npm-worker npm-interop setup-mosquitto
	cargo build --features native
	npm --prefix worker test

# The representative part over the worker: what clients do most, and what only the host can answer.
suite-spec: target/ci/worker.built
	@failed=0; node .ci/spec.mjs asleep wasm tcp ws || failed=1; \
		node .ci/spec.mjs --modules=authenticate,connect,publish,session,will worker worker-asleep || failed=1; exit $$failed

suite-tab: target/ci/js.built npm-interop setup-browser
	.ci/browser npm --prefix tests/interop run tab

suite-page: target/ci/worker.built npm-interop setup-browser setup-mosquitto
	npm --prefix www test
	.ci/browser npm --prefix tests/interop run page

# Packs the package, installs it in other projects, and runs it there: bundlers, platforms, pages. TABLE=write writes its table.
suite-packaging: target/ci/js.built npm-worker npm-interop npm-packaging setup-browser
	.ci/browser npm --prefix tests/packaging test

# The scripts of tests/spec, host by host.

spec-asleep spec-tcp spec-ws: spec-%:
	@node .ci/spec.mjs $*

spec-wasm: target/ci/wasm.built
	@node .ci/spec.mjs wasm

spec-worker spec-worker-asleep: spec-%: target/ci/worker.built
	@node .ci/spec.mjs $*

spec-all: target/ci/worker.built
	@node .ci/spec.mjs --table in-process asleep tcp ws worker wasm

# Builds. A stamp is newer than the sources that it was built from.

files = $(shell find $(1) -mindepth 1 \( -name node_modules -o -name dist -o -path js/wasm \) -prune -o -print)

target/ci/wasm.built: FORCE | setup-wasm npm-js
	@.ci/build-wasm.sh

target/ci/js.built: target/ci/wasm.built $(call files,js) | npm-js
	npm --prefix js run build
	@touch $@

target/ci/www.built: target/ci/js.built $(call files,www) | npm-www
	npm --prefix www run build
	@touch $@

target/ci/worker.built: target/ci/www.built $(call files,worker) | npm-worker
	npm --prefix worker run build --if-present
	@touch $@

# Set-up. Each script returns at once when there is nothing to install.

setup-wasm:
	@.ci/setup/wasm-target.sh && .ci/setup/wasm-bindgen.sh

setup-wasm-pack:
	@.ci/setup/wasm-pack.sh

setup-browser:
	@.ci/setup/browser.sh

setup-mosquitto:
	@.ci/setup/mosquitto.sh

setup-openssl:
	@.ci/setup/openssl.sh

setup-valgrind:
	@.ci/setup/valgrind.sh

setup-fuzz:
	@.ci/setup/cargo-fuzz.sh

setup-llvm-cov:
	@.ci/setup/llvm-cov.sh

npm-js npm-worker npm-www: npm-%:
	@.ci/setup/npm.sh $*

npm-docs:
	@.ci/setup/npm.sh js/docs

npm-interop npm-packaging npm-bench: npm-%:
	@.ci/setup/npm.sh tests/$*
