# Entry points of the repository. Needed: Go, Node and, on Debian, apt-get.
# What these targets build for themselves lies under .cache and bin; the ClickHouse
# engine goes to the user's cache folder, where `weir up` looks for it.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CACHE   := $(CURDIR)/.cache
MODULES  = $(shell go list -m -f '{{.Dir}}')
# Patterns for tools that don't know `work`.
FOLDERS  = $(patsubst $(CURDIR)/%,./%/...,$(MODULES))
LINT    := $(CACHE)/bin/golangci-lint
ENGINES := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/weir/engine
ENGINE  := $(ENGINES)/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so
T       ?= 30s
N       ?= 100
DSN     ?= clickhouse://127.0.0.1:9000/weir
RATE    ?= 200000
VERSION ?= 0.0.0

# Tests that need ClickHouse run with this one, and are skipped without it.
export WEIR_TEST_CLICKHOUSE ?= $(ENGINE)

say = @printf '\n\033[1m==> %s\033[0m\n' "$(1)"

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# --- run

.PHONY: build
build: ## build bin/weir
	$(call say,building bin/weir)
	go build -o bin/weir ./cmd/weir

.PHONY: demo
demo: engine exporter build ## set up, run everything, send traffic, show what arrived, go on running
	go build -o bin/demo ./test/demo
	@bin/demo bin/weir

.PHONY: run
run: engine build ## run everything on this machine, flows to :2055 :4739 :6343
	bin/weir up

# --- set up

.PHONY: engine
engine: ## install the pinned ClickHouse engine for this user
	@[ -f $(ENGINE) ] && cmp -s clickhouse/engine/package-lock.json $(ENGINES)/package-lock.json || $(MAKE) engine-install

.PHONY: engine-install
engine-install:
	$(call say,installing the ClickHouse engine)
	mkdir -p $(ENGINES)
	cp clickhouse/engine/package.json clickhouse/engine/package-lock.json clickhouse/engine/.npmrc $(ENGINES)/
	npm --prefix $(ENGINES) ci --no-audit --no-fund --ignore-scripts

.PHONY: exporter
exporter: ## install a real exporter (softflowd)
	@tools/need.sh softflowd=softflowd

.PHONY: exporters
exporters: ## install the exporters and tools that tests compare with, and a C compiler for the race detector
	@tools/need.sh gcc=gcc,libc6-dev softflowd=softflowd pmacctd=pmacct nfcapd=nfdump tshark=tshark tcpdump=tcpdump mmdblookup=mmdb-bin snmpd=snmpd promtool=prometheus

# --- test

.PHONY: test
test: engine exporters ## set up what the tests need and run all of them
	$(call say,allocations of hot paths: the race detector adds its own)
	go test -run Allocat work
	$(call say,go test -race of all modules)
	go test -race work
	@printf '\nAll tests passed.\n'

.PHONY: queries
queries: ## fill the migrated, empty database DSN with 50 million flows, and measure the queries of docs/queries.md
	go run ./migrations/queries -dsn $(DSN)

.PHONY: kills
kills: engine ## kill insert and ClickHouse N times (default 100) at random under load, and count rows
	WEIR_TEST_KILLS=$(N) go test ./services/insert -run TestKills -count 1 -timeout 2h -v

.PHONY: fuzz
fuzz: ## run every fuzz target for T (default 30s)
	@tools/fuzz.sh $(T)

.PHONY: chaos
chaos: engine ## kill, suspend and cut off processes at random for T, SEED=n as before, and look whether all flows came once
	WEIR_CHAOS_TIME=$(T) WEIR_CHAOS_SEED=$(SEED) go test ./cmd/weir -run Chaos -v -count 1 -timeout 0

.PHONY: bench
bench: engine build ## compare with GoFlow2, and send RATE flows a second through everything
	$(call say,decoding and marshalling a flow: weir and GoFlow2 on the same datagrams)
	@go run ./services/decode/bench
	$(call say,summing up: CPU a flow and memory an open key of all built-in rollups)
	@go test ./services/aggregate -run none -bench Builtin
	$(call say,enriching a flow: AS country networks interfaces and rules for both ends)
	@go test ./services/enrich -run none -bench Everything
	$(call say,the whole of weir up: UDP socket to rows in ClickHouse)
	@go run ./test/bench -rate $(RATE) bin/weir

# --- keep in order

.PHONY: generate
generate: ## regenerate what is committed: protobuf code, weir.example.yaml, docs/metrics.md, docs/protocols.md, dashboards
	mkdir -p .cache
	cd proto && GOWORK=off go tool -modfile=../tools/go.mod buf generate
	cd proto && GOWORK=off go tool -modfile=../tools/go.mod buf generate --template buf.gen.vt.yaml
	go run ./cmd/weir config > .cache/weir.yaml && mv .cache/weir.yaml weir.example.yaml
	go test ./test/repo -run MetricsAreDocumented -count 1 -update
	go test ./services/decode/internal/explain -run ProtocolsAreDocumented -count 1 -update
	go run ./dashboards/cmd/dashboards .

$(LINT): tools/lint/go.mod
	$(call say,building golangci-lint)
	GOWORK=off go build -C tools/lint -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: fmt
fmt: $(LINT) ## format the code
	$(LINT) fmt $(FOLDERS)

.PHONY: fmt-check
fmt-check: $(LINT) ## fail where fmt would change something
	$(call say,format)
	$(LINT) fmt --diff $(FOLDERS)

.PHONY: lint
lint: $(LINT) ## run the linters
	$(call say,lint)
	$(LINT) run $(FOLDERS)

.PHONY: standalone
standalone: ## vet and build each module without the workspace
	$(call say,each module on its own)
	for m in $(MODULES); do (cd $$m && echo "$${m#$(CURDIR)/}" && GOWORK=off go vet ./... && GOWORK=off go build -o /dev/null ./...); done

.PHONY: vulnerabilities
vulnerabilities: ## look for known ones in what the programs call (needs vuln.go.dev)
	go run golang.org/x/vuln/cmd/govulncheck@v1.1.4 ./cmd/weir ./services/ingest/cmd/ingest

.PHONY: release
release: ## build binaries and Debian packages of VERSION for amd64 and arm64 into dist
	tools/release.sh $(VERSION)

.PHONY: tidy
tidy: ## sync the workspace and tidy every module
	go work sync
	for m in $(MODULES) tools tools/lint tools/release; do (cd $$m && GOWORK=off go mod tidy); done

.PHONY: drift
drift: ## fail where generate or tidy would change something
	$(call say,generated code and modules)
	@tools/drift.sh

.PHONY: check
check: drift fmt-check standalone lint test ## everything that .ci/run runs
