# Short names for everyday work, and the set-up of a bare machine. With Docker alone, `docker compose` does it all too.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.SILENT:

# npm leaves a NODE of its own in the environment.
ifneq ($(origin NODE),command line)
  NODE :=
endif
# Which base images to use, as setup/base-images.sh decided; every recipe's shell reads it.
export BASH_ENV := setup/env.sh
export COOKIE

.PHONY: help
help: ## Show this help
	grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: up down logs
up: images ## Start the cluster, or change its number of nodes: [NODES=30] (as many as there are, else 3)
	nodes='$(NODES)'; nodes=$${nodes:-$$(docker compose ps --quiet node | wc -l)}; \
	port=$$(setup/http-port.sh); \
	HTTP_PORT=$$port docker compose up --detach --no-build --scale node=$$((nodes ? nodes : 3)); \
	setup/hotcast nodes --wait $$((nodes ? nodes : 3)) --timeout 120; \
	echo "modules with fetch are served at http://$$(docker compose port proxy 8080)/"

down: ## Stop the cluster; remove its containers, network, stream and keys
	docker compose down --volumes --timeout 2

logs: ## Follow what everything logs
	docker compose logs --follow --tail 50 || true

.PHONY: push promote rollback remove purge soft-purge rotate-keys status history compile call ping nodes
push: ## Compile modules and load them on every node: MODULE='demo counter' [CANARY=10% WATCH=10s MAX_ERRORS=0] [FORCE=1] [NO_CHECK=1] [DRY_RUN=1]
	setup/hotcast push $(MODULE) $(if $(DRY_RUN),--dry-run) $(if $(FORCE),--force) $(if $(NO_CHECK),--no-check) $(if $(CANARY),--canary '$(CANARY)') $(if $(WATCH),--watch '$(WATCH)') $(if $(MAX_ERRORS),--max-errors '$(MAX_ERRORS)')

promote: ## Load a canary's revision on every node: MODULE=demo
	setup/hotcast promote $(MODULE)

rollback: ## Go back to the revision before, or to the one named: MODULE=demo [TO=6ba64b75]
	setup/hotcast rollback $(MODULE) $(if $(TO),--to '$(TO)')

remove: ## Take modules off every node: MODULE=demo
	setup/hotcast remove $(MODULE)

purge: ## Let go of a module's old version, also while calls run on it: MODULE=demo
	setup/hotcast purge $(MODULE)

soft-purge: ## Let go of a module's old version where no call runs on it: MODULE=demo
	setup/hotcast soft-purge $(MODULE)

rotate-keys: ## Sign with a new key; nodes trust the one before for as long: [OVERLAP=10m]
	setup/hotcast keys rotate $(if $(OVERLAP),--overlap '$(OVERLAP)')

status: ## Compare what should run with what runs
	setup/hotcast status

history: ## List the heads of a module: MODULE=demo
	setup/hotcast history $(MODULE)

compile: ## Compile a module and load it on one node: MODULE=demo NODE=fred [NO_CHECK=1]
	setup/hotcast compile '$(MODULE)' --node '$(NODE)' $(if $(NO_CHECK),--no-check)

call: ## Call a function on every node or on one: CALL='demo.add(4, 5)' [NODE=betty] [STACK=1]
	setup/hotcast call '$(subst ','\'',$(CALL))' --node '$(NODE)' $(if $(STACK),--stack)

ping: ## Ask every node or one whether it is there: [NODE=betty]
	setup/hotcast ping $(NODE)

nodes: ## List the nodes with their processes and modules
	setup/hotcast nodes

.PHONY: demo test test-unit lint format bench bench-runtime bench-load
demo: images ## Walk the Erlang walk on real containers: [NODES=30]
	npx tsx demo/main.ts $(or $(NODES),3)

test: lint images ## Check and test everything, on real containers too
	npx vitest run

test-unit: node_modules ## Run the unit tests; needs no Docker
	npx vitest run --project unit --project bench

bench: setup ## Measure Hotcast beside Erlang, restarts and bare NATS: [NODES=30] [ONLY=push,scale] [ROUNDS=20]
	NODES='$(NODES)' ONLY='$(ONLY)' ROUNDS='$(ROUNDS)' node --import tsx bench/main.ts

bench-runtime: setup ## Measure memory, swaps and calls of the runtime in a container: [JSON=1]
	bench/runtime.sh $(if $(JSON),--json)

bench-load: images ## Call functions all the time on 3 nodes during 1,000 pushes: [PUSHES=100]
	PUSHES=$(or $(PUSHES),1000) npx vitest run --project cluster test/cluster/load.test.ts

lint: node_modules ## Check format, types and rules
	npx prettier --check --log-level warn .
	npx oxlint --type-aware --deny-warnings
	npx tsc --build

format: node_modules ## Write the format
	npx prettier --write --log-level warn .

.PHONY: sbom setup images
sbom: node_modules ## List all that goes into the images from npm (CycloneDX), in .cache/sbom.json
	mkdir -p .cache
	npm sbom --sbom-format cyclonedx --omit dev --loglevel error >.cache/sbom.json
	echo 'written to .cache/sbom.json'

setup: node_modules ## Install what this machine lacks: npm packages, an engine, base images
	setup/engine.sh
	setup/base-images.sh

images: setup ## Build the images
	setup/images.sh

node_modules: package.json package-lock.json modules/package.json
	echo 'setup: installing npm packages'
	npm ci --loglevel error
	touch node_modules
