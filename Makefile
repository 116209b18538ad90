# Short names for everyday work. They also set up a bare machine; with Docker, `docker compose` is enough.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.SILENT:

# npm sets NODE in the environment, and some shells GROUP; here they are the names of a cluster node and of a group of nodes.
ifneq ($(origin NODE),command line)
  NODE :=
endif
ifneq ($(origin GROUP),command line)
  GROUP :=
endif
# Every recipe's shell reads this file: it exports the base images that setup/offline/base-images.sh chose.
export BASH_ENV := setup/env.sh

# The targets are for the cluster of this folder, whatever context of Hotcast is in use, unless the environment names one.
export HOTCAST_CONTEXT ?= default

# Why, for the history and the audit.
SAYING = $(if $(MESSAGE),--message '$(subst ','\'',$(MESSAGE))')

# Equal answers of many nodes are one line; VERBOSE=1 gives a line a node.
VERBOSELY = $(if $(VERBOSE),--verbose)

# A command says itself what went wrong. make adds no line with `Error 1` to it in question mode (-q), in which it runs recipes that
# begin with `+`; so does a dry run (-n), which has no `+` here.
COMMANDS := push dev tail promote rollback remove repair purge soft-purge rotate-keys revoke-key operators add-operator revoke-operator backup restore status doctor bans history audit events compile call errors ping shell nodes
ifneq ($(MAKECMDGOALS),)
ifeq ($(filter-out $(COMMANDS),$(MAKECMDGOALS))$(findstring n,$(firstword -$(MAKEFLAGS))),)
  MAKEFLAGS += --question
  ALWAYS := +
endif
endif

PAGES := $(wildcard docs/generate/cli.ts docs/generate/configuration.ts docs/generate/output.ts docs/generate/packages.ts setup/stack/main.ts)

.PHONY: help
help: ## Show this help
	grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 17

.PHONY: up down logs
up: images ## Start or scale the cluster; nodes that have changed are replaced one at a time: [NODES=30] (default: the current number, else 3)
	nodes='$(NODES)'; nodes=$${nodes:-$$(docker compose ps --quiet node | wc -l)}; \
	export HTTP_PORT=$$(setup/http-port.sh) CONSOLE_PORT=$$(setup/http-port.sh console); \
	DOCKER_HOST=$$(docker context inspect --format "{{.Endpoints.docker.Host}}") node --import tsx setup/rolling/main.ts $$((nodes ? nodes : 3)); \
	docker compose up --detach --no-build --scale node=$$((nodes ? nodes : 3)); \
	setup/hotcast nodes --wait $$((nodes ? nodes : 3)) --timeout 120; \
	status=$$(setup/hotcast status --wait 60) || { \
	  code=$$?; echo "$$status"; echo 'setup: the nodes are up, but not all of them run what they should' >&2; exit $$code; }; \
	echo "modules that export fetch are served at http://$$(docker compose port proxy 8080)/"; \
	echo "the console is at http://$$(docker compose port console 8090)/"

down: ## Stop the cluster and delete its containers, network, stream and keys
	docker compose down --volumes --timeout 2

logs: $(if $(RAW),,node_modules) ## Follow the logs of all containers, or those that are JSON, without prefixes: [RAW=1]
	$(if $(RAW),docker compose logs --follow --tail 50 --no-log-prefix node controller roster auth-callout,node --import tsx setup/logs/main.ts) || true

.PHONY: $(COMMANDS)
push: ## Compile modules and load them on every node: MODULE='demo counter', AFFECTED=1 or ALL=1 [CANARY=10% WATCH=10s MAX_ERRORS=0 MIN_CALLS=1] [WITHOUT=fred] [FORCE=1] [NO_CHECK=1] [DRY_RUN=1] [MESSAGE='why'] [VERBOSE=1]
	$(ALWAYS)setup/hotcast push $(MODULE) $(if $(ALL),--all) $(if $(AFFECTED),--affected) $(if $(DRY_RUN),--dry-run) $(if $(FORCE),--force) $(if $(NO_CHECK),--no-check) $(if $(WITHOUT),--without '$(WITHOUT)') $(if $(CANARY),--canary '$(CANARY)') $(if $(WATCH),--watch '$(WATCH)') $(if $(MAX_ERRORS),--max-errors '$(MAX_ERRORS)') $(if $(MIN_CALLS),--min-calls '$(MIN_CALLS)') $(SAYING) $(VERBOSELY) || exit 1

dev: ## Watch the modules folder until Ctrl+C, and push what is saved: [STRICT=1]
	$(ALWAYS)setup/hotcast dev $(if $(STRICT),--strict) || [ $$? = 130 ] || exit 1

promote: ## Load the revision of a canary on every node: MODULE=demo [MESSAGE='why']
	$(ALWAYS)setup/hotcast promote $(MODULE) $(SAYING) || exit 1

rollback: ## Go back to the previous revision, or to a given one: MODULE=demo [TO=6ba64b75] [MESSAGE='why']
	$(ALWAYS)setup/hotcast rollback $(MODULE) $(if $(TO),--to '$(TO)') $(SAYING) || exit 1

remove: ## Remove modules from every node; their state stays there unless you clear it: MODULE=demo [STATE=1] [MESSAGE='why']
	$(ALWAYS)setup/hotcast remove $(MODULE) $(if $(STATE),--state) $(SAYING) || exit 1

repair: ## Write the head of modules again if nodes do not follow it: MODULE=demo [MESSAGE='why']
	$(ALWAYS)setup/hotcast repair $(MODULE) $(SAYING) || exit 1

purge: ## Purge the draining versions of a module, even if calls run on them: MODULE=demo [NODE=fred or GROUP=web]
	$(ALWAYS)setup/hotcast purge $(MODULE) --node '$(NODE)' $(if $(GROUP),--group '$(GROUP)') || exit 1

soft-purge: ## Purge the draining versions of a module on which no call runs, and list the others: MODULE=demo [NODE=fred or GROUP=web]
	$(ALWAYS)setup/hotcast soft-purge $(MODULE) --node '$(NODE)' $(if $(GROUP),--group '$(GROUP)') || exit 1

rotate-keys: ## Sign with a new key; nodes still trust the previous key for a while: [OVERLAP=10m]
	$(ALWAYS)setup/hotcast keys rotate $(if $(OVERLAP),--overlap '$(OVERLAP)') || exit 1

revoke-key: ## Have nobody believe a signing key any more: KEY=2af54c2f1b90d3e7
	$(ALWAYS)setup/hotcast keys revoke $(KEY) || exit 1

operators: ## List who may give commands from afar, what, and until when
	$(ALWAYS)setup/hotcast operator list || exit 1

add-operator: ## Print the credentials of a new operator, once: NAME=ci MAY=push,rollback URL=tls://fleet.example.com:4222 [EXPIRES=30d] >ci.json
	$(ALWAYS)setup/hotcast operator add '$(NAME)' --may '$(MAY)' --url '$(URL)' $(if $(EXPIRES),--expires '$(EXPIRES)') || exit 1

revoke-operator: ## Refuse an operator from now on, and close its connections: NAME=ci
	$(ALWAYS)setup/hotcast operator revoke '$(NAME)' || exit 1

backup: ## Write the stream and the public keys into a file: FILE=hotcast.backup [KEYS=1: the signing key too, encrypted]
	$(ALWAYS)setup/hotcast backup '$(FILE)' $(if $(KEYS),--keys) || exit 1

restore: ## Make every node run what a backup says: FILE=hotcast.backup [KEYS=1: sign with its signing key]
	$(ALWAYS)setup/hotcast restore '$(FILE)' $(if $(KEYS),--keys) || exit 1

status: ## Compare the modules that should run with those that run: [GROUP=web VERBOSE=1]
	$(ALWAYS)setup/hotcast status $(if $(GROUP),--group '$(GROUP)') $(VERBOSELY) || exit 1

doctor: ## Check what an operator looks at first; each line says what helps
	$(ALWAYS)setup/hotcast doctor || exit 1

bans: ## List the nodes that are kept off revisions, or end that: [LIFT=demo NODE=fred MESSAGE='why']
	$(ALWAYS)setup/hotcast bans $(if $(LIFT),--lift '$(LIFT)') $(if $(NODE),--node '$(NODE)') $(SAYING) || exit 1

history: ## List the revisions of all modules, or of one, and their results: [MODULE=demo]
	$(ALWAYS)setup/hotcast history $(MODULE) || exit 1

audit: ## List what was done to the cluster, newest first: [SINCE=2h]
	$(ALWAYS)setup/hotcast audit $(if $(SINCE),--since '$(SINCE)') || exit 1

events: ## Print what was done and which nodes came and went, oldest first: [FOLLOW=1 SINCE=1204]
	$(ALWAYS)setup/hotcast events $(if $(SINCE),--since '$(SINCE)') $(if $(FOLLOW),--follow) || [ $$? = 130 ] || exit 1

compile: ## Compile a module and load it on one node: MODULE=demo NODE=fred [NO_CHECK=1]
	$(ALWAYS)setup/hotcast compile '$(MODULE)' --node '$(NODE)' $(if $(NO_CHECK),--no-check) || exit 1

call: ## Call a function on every node, or on one node: CALL='demo.add(4, 5)' [NODE=betty or GROUP=web] [STACK=1] [VERBOSE=1]
	$(ALWAYS)setup/hotcast call '$(subst ','\'',$(CALL))' --node '$(NODE)' $(if $(GROUP),--group '$(GROUP)') $(if $(STACK),--stack) $(VERBOSELY) || exit 1

tail: ## Show what modules log and throw until Ctrl+C: [MODULE='demo counter' NODE=fred or GROUP=web LEVEL=warn GREP='not today']
	$(ALWAYS)setup/hotcast tail $(MODULE) --node '$(NODE)' $(if $(GROUP),--group '$(GROUP)') $(if $(LEVEL),--level '$(LEVEL)') --grep '$(subst ','\'',$(GREP))' || [ $$? = 130 ] || exit 1

errors: ## Show the last errors of a module, which nodes keep in memory: MODULE=demo [NODE=fred or GROUP=web VERBOSE=1]
	$(ALWAYS)setup/hotcast errors '$(MODULE)' --node '$(NODE)' $(if $(GROUP),--group '$(GROUP)') $(VERBOSELY) || exit 1

ping: ## Ping every node, one node, or those of a group: [NODE=betty or GROUP=web]
	$(ALWAYS)setup/hotcast ping $(NODE) $(if $(GROUP),--group '$(GROUP)') || exit 1

shell: ## Type to a node, as in Erlang's shell: [NODE=fred or GROUP=web]
	$(ALWAYS)setup/hotcast shell $(if $(NODE),--node '$(NODE)') $(if $(GROUP),--group '$(GROUP)') || exit 1

nodes: ## List the nodes with their processes and modules: [GROUP=web VERBOSE=1]
	$(ALWAYS)setup/hotcast nodes $(if $(GROUP),--group '$(GROUP)') $(VERBOSELY) || exit 1

.PHONY: debug demo swarm-demo as-root test run-tests test-faults test-swarm test-operations test-published test-console test-packages test-unit lint format docs screens bench bench-quick bench-runtime bench-load
debug: node_modules ## Open the inspector of a node at 127.0.0.1:9229 until Ctrl+C: NODE=fred [PORT=9230]
	node --import tsx setup/debug/main.ts '$(NODE)' $(PORT)

demo: images ## Show hot loading step by step on real containers, beside Erlang: [NODES=30]
	npx tsx demo/main.ts $(or $(NODES),3)

swarm-demo: as-root images ## Show a fleet on three machines, which are simulated on this one with Docker Swarm: [NODES=30]
	setup/offline/swarm.sh
	trap 'setup/offline/machines.sh down' EXIT; node --import tsx demo/swarm/main.ts $(or $(NODES),30)

as-root:
	[ "$$(id -u)" = 0 ] || { echo 'setup: machines can be simulated by root only' >&2; exit 1; }

test: lint run-tests ## Run the checks and the tests, also on real containers

# With `make -j2 test`, the checks run beside the tests.
run-tests: images packages/hotcast/dist
	setup/offline/shells.sh
	npx vitest run --project unit --project bench --project cluster

test-faults: images ## Run the tests of failures and attacks, on real containers
	npx vitest run --project faults

test-operations: images ## Run the tests of upgrades and bad days, on real containers: longer than CI has time for
	npx vitest run --project operations

test-swarm: as-root images ## Push while machines are lost that are simulated on this one, with a swarm and without: [NODES=6], or FAULTS=all for 30 nodes and 300 pushes
	setup/offline/swarm.sh
	$(if $(FAULTS),export EARLIER=$$(setup/last-release.sh docker-stack.yml);) \
	trap 'setup/offline/machines.sh down' EXIT; \
	NODES='$(NODES)' FAULTS='$(FAULTS)' npx vitest run --project swarm

test-published: pack ## Run the tests of a project that has only the packed packages and images
	npx vitest run --project published

test-console: node_modules ## Run the tests of the console in Chromium, with a simulated fleet; pictures go to .cache/console
	setup/offline/chromium.sh
	setup/offline/prometheus.sh
	npx vitest run --project console

test-packages: images ## Run the tests of npm packages in modules, on real containers: [ONLY=express,pg], or ONLY=ci for a dozen
	setup/test-packages.sh '$(ONLY)'
	ONLY='$(ONLY)' npx vitest run --project packages

test-unit: node_modules packages/hotcast/dist ## Run the unit tests (no Docker)
	setup/offline/shells.sh
	npx vitest run --project unit --project bench

bench: setup ## Compare Hotcast with plain servers, with Erlang, with restarts and with bare NATS: [NODES=30] [ONLY=push,scale] [ROUNDS=20] [AGAINST=FOLDER]
	NODES='$(NODES)' ONLY='$(ONLY)' ROUNDS='$(ROUNDS)' AGAINST='$(AGAINST)' node --import tsx bench/main.ts

bench-quick: setup ## Compare HTTP and WebSocket before and after a change, with the last commit or another checkout: [AGAINST=FOLDER]
	AGAINST='$(AGAINST)' node --import tsx bench/quick.ts

bench-runtime: setup ## Measure memory, swaps and calls of the module runtime in a container
	bench/runtime.sh

bench-load: images ## Call functions on 3 nodes without a pause during 1,000 pushes: [PUSHES=100]
	PUSHES=$(or $(PUSHES),1000) npx vitest run --project cluster test/cluster/rollout/shared-cluster.test.ts -t 'calls on three nodes'

lint: node_modules ## Check format, rules, layers, types and generated pages
	nice npx prettier --check --log-level warn .
	nice npx oxlint --type-aware --deny-warnings
	nice npx tsc --build
	for page in $(PAGES); do node --import tsx $$page --check; done

format: node_modules ## Format all files
	npx prettier --write --log-level warn .

docs: node_modules ## Write what is generated: docs/cli.md, docs/configuration.md, the table of docs/packages.md, types/output.*
	for page in $(PAGES); do node --import tsx $$page; done

screens: images ## Take the screens of docs/cli.md again, of 30 nodes in a terminal of 80 × 24 (needs tmux); then make docs
	node --import tsx docs/generate/screens.ts

.PHONY: sbom setup images pack
pack: images ## Pack the npm packages, check them, and name the images as they are published, in .cache/packages
	setup/pack.sh

sbom: node_modules ## List the npm packages in the images (CycloneDX), in .cache/sbom.json
	mkdir -p .cache
	npm sbom --sbom-format cyclonedx --omit dev --loglevel error >.cache/sbom.json
	echo 'written to .cache/sbom.json'

setup: node_modules ## Install what is missing: npm packages, a Docker engine, base images
	setup/offline/engine.sh
	setup/offline/base-images.sh

images: setup ## Build the images
	setup/images.sh

.PHONY: packages/hotcast/dist
packages/hotcast/dist: node_modules
	cd packages/hotcast && npm run --silent bundle

node_modules: package.json package-lock.json bench/package.json | modules/node_modules
	echo 'setup: installing npm packages'
	npm ci --loglevel error
	touch node_modules

modules/node_modules: modules/package.json modules/package-lock.json
	echo 'setup: installing the npm packages of modules'
	npm install --prefix modules --loglevel error
	touch modules/node_modules
