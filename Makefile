GOLANGCI_LINT = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GORELEASER    = go run github.com/goreleaser/goreleaser/v2@v2.15.1
ACTIONLINT    = github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
SPECTRAL      = @stoplight/spectral-cli@6.16.3
REDOCLY       = @redocly/cli@2.77.0
FUZZTIME      = 30s

# The two newest releases of Go. The newest is the default (the toolchain line of go.mod); test-oldest runs with the other.
OLDEST_GO = go1.26.8
export GOTOOLCHAIN ?= $(shell awk '$$1 == "toolchain" {print $$2}' go.mod)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: all
all: generate check ## Regenerate, then check everything

# The old gen/ is moved to a folder that Go ignores (a dot). A failure or an interrupt restores it; after a kill, the next run.
.PHONY: generate
generate: ## Regenerate gen/ from api/openapi.yaml, into an empty folder
	@restore() { [ ! -d .gen.old ] || { rm -rf gen && mv .gen.old gen; }; }; restore; \
	trap restore EXIT; trap 'exit 2' HUP INT TERM; \
	mkdir -p gen && mv gen .gen.old && echo 'go generate ./...' && go generate ./... && \
	trap '' HUP INT TERM && rm -rf .gen.old

.PHONY: checkgenerate
checkgenerate: ## Fail if gen/ differs from what the spec generates
	@scripts/checkgenerate.sh

.PHONY: test
test: ## Run the tests with the race detector
	go test -race $$(go list ./... | grep -v -e /mutate$$ -e /suggest$$)
	go test -run 'Memory|TooLarge' ./conformance/traffic # large files, too slow under the detector
	go test ./internal/mutate ./cmd/fleetio/internal/suggest # slow, and on one goroutine

.PHONY: test-oldest
test-oldest: ## Run the tests with the oldest supported release of Go
	GOTOOLCHAIN=$(OLDEST_GO) go test ./...

.PHONY: torture
torture: ## Call servers and proxies with random failures FLEETIO_TORTURE (10000) times, kill the command; the long form of slow tests
	FLEETIO_TORTURE=$${FLEETIO_TORTURE:-10000} go test -count=1 -run '^TestTorture' ./fleetio ./cmd/fleetio
	cd internal/faults && FLEETIO_TORTURE=$${FLEETIO_TORTURE:-10000} GOFLAGS=-mod=readonly go test -count=1 -v ./...
	FLEETIO_TORTURE=1 FLEETIO_KILL_ROUNDS=100 go test -count=1 -run '^(TestImportAfterEachCrash|TestSandboxKilled)$$' ./cmd/fleetio
	FLEETIO_RECORD_KILLS=$${FLEETIO_RECORD_KILLS:-1000} go test -count=1 -v -run '^TestRecordKilled$$' ./cmd/fleetio

.PHONY: hostile
hostile: ## Give the command input that tries to take its memory or time, up to 1 GB
	FLEETIO_HOSTILE=1 go test -count=1 -v -run '^TestHostile$$' ./cmd/fleetio

.PHONY: selftest
selftest: ## Mutation-test the checker: violate each claim in turn, and expect that finding and no other
	@go test -count=1 -v -run '^TestSelftest' ./internal/mutate

.PHONY: test-growth
test-growth: ## Edit a copy of the spec as a maintainer does, and use what it adds; each edit alone takes minutes
	FLEETIO_GROWTH=each go test -count=1 -timeout 20m -v -run '^TestGrowth' ./internal/contracttest

.PHONY: contract
contract: ## Check the recordings and a sandbox, or the server of FLEETIO_BASE_URL, against the contract; print the results
	@go test -count=1 -v -run '^TestContractRecordings' ./internal/contracttest
	@go test -count=1 -run '^TestContractLive' ./internal/contracttest
	@go run ./cmd/fleetio test --max-requests 0 conformance/testdata/recordings/conformant-*.har

# verify exits with 1, as the sample has findings.
.PHONY: sample
sample: ## Write docs/report.html, the sample of a report
	go run ./cmd/fleetio verify --spec-path api/openapi.yaml --report html=docs/report.html conformance/testdata/recordings/vendor-page.har conformance/testdata/recordings/drift.har conformance/testdata/recordings/enum.har conformance/testdata/recordings/conformant-complete.har conformance/testdata/recordings/conformant-refusals.har >/dev/null || test $$? -eq 1

.PHONY: suites
suites: ## Run the JSON Schema Test Suite (draft 4) against the checker, in a module of its own
	cd internal/suites && GOFLAGS=-mod=readonly go vet ./... && GOFLAGS=-mod=readonly go test ./...

.PHONY: faults
faults: ## Call the client and import through a proxy that breaks connections, in a module of its own
	cd internal/faults && GOFLAGS=-mod=readonly go vet ./... && GOFLAGS=-mod=readonly go test ./...

# With the oldest Go, so that its build cache serves test-oldest too.
.PHONY: lint
lint: ## Run golangci-lint, vet and gofmt with .golangci.yml
	GOTOOLCHAIN=$(OLDEST_GO) go run $(GOLANGCI_LINT) run ./...

.PHONY: check
check: checkgenerate lint test suites contract ## Check the generated code, lint, all tests, the contract and go.mod
	FLEETIO_GROWTH=together go test -count=1 -run '^TestGrowth' ./internal/contracttest
	go mod tidy -diff

# go test fuzzes one target at a time.
FUZZ = ./conformance/traffic:FuzzReadHAR ./conformance/traffic:FuzzReadNDJSON ./conformance/traffic:FuzzReadCassette \
       ./internal/strictjson:FuzzDocument ./internal/strictjson:FuzzDecoder ./internal/strictjson:FuzzRepetitive ./conformance:FuzzCheck \
       ./conformance:FuzzLoad ./internal/ecma:FuzzCompile ./conformance/known:FuzzRead ./conformance:FuzzRedact ./internal/mutate:FuzzReference \
       ./cmd/fleetio/internal/suggest:FuzzOverlay ./conformance/report:FuzzRead ./fleetio:FuzzDecodeFault ./fleetio:FuzzCheck \
       ./cmd/fleetio/internal/importer:FuzzReadRows ./cmd/fleetio/internal/importer:FuzzReadHistory ./sandbox:FuzzCreate ./sandbox:FuzzParseInteger \
       ./sandbox:FuzzReadInput ./sandbox:FuzzParseFailure ./cmd/fleetio/internal/server/fixture:FuzzParse \
       ./cmd/fleetio/internal/server/page:FuzzBody

.PHONY: examples
examples: ## Build and test the examples: a Go module, and tests in the languages that this machine has
	cd examples/otel && GOFLAGS=-mod=readonly go vet ./... && GOFLAGS=-mod=readonly go test ./...
	go test -count=1 -v -run '^TestExamples$$' ./cmd/fleetio

.PHONY: lint-actions
lint-actions: ## Lint the workflows with actionlint
	go run $(ACTIONLINT)

.PHONY: release-check
release-check: ## Build a snapshot of a release twice, compare, and run it; publish nothing
	@GORELEASER="$(GORELEASER)" scripts/release-check.sh

.PHONY: release
release: ## Publish the release of the present tag, which the workflow of the tag does
	$(GORELEASER) release --clean

.PHONY: fuzz
fuzz: ## Fuzz each reader and the checker for FUZZTIME (30s)
	@set -e; for target in $(FUZZ); do echo "$$target"; \
	go test -run '^$$' -fuzz "^$${target#*:}\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$${target%:*}"; done

# A round runs each benchmark once, so that what else the machine does meets all tools.
.PHONY: bench
bench: ## Compare with peers in six rounds, and write docs/benchmarks.md (needs Node)
	cd bench && npm ci --silent && mkdir -p results && go test -c -o results/bench.test . && \
	for round in 1 2 3 4 5 6; do results/bench.test -test.run '^$$' -test.bench . -test.benchtime 300ms || exit 1; done >results/bench.txt
	cd bench && go run . report

.PHONY: bench-packages
bench-packages: ## Run the benchmarks of the packages six times, for benchstat
	go test -run '^$$' -bench . -benchmem -count 6 ./...

.PHONY: scoreboard
scoreboard: ## Compare what checkers find in bench/corpus, and write docs/scoreboard.md (needs Node)
	cd bench && npm ci --silent && go run . scoreboard

.PHONY: peers
peers: ## Let peers test the sandbox, and probe their mock servers (needs Node and Java)
	cd bench && npm ci --silent && go run . peers

SPECS = api/openapi.yaml cmd/fleetio/internal/server/control.yaml

.PHONY: lint-spec
lint-spec: export npm_config_ignore_scripts = true
lint-spec: export npm_config_update_notifier = false
lint-spec: export REDOCLY_TELEMETRY = off
lint-spec: export REDOCLY_SUPPRESS_UPDATE_NOTICE = true
lint-spec: ## Lint the specs with spectral and redocly (needs Node)
	npx --yes $(SPECTRAL) lint --fail-severity hint $(SPECS)
	npx --yes $(REDOCLY) lint --lint-config error $(SPECS)

# The script exits with 1 for a breaking change and 2 if it could not run; make exits with 2 for both.
.PHONY: diff-spec
diff-spec: ## Show what changed, and what is breaking, since BASE=<git rev>
	@scripts/diff-spec.sh "$${BASE-}"

.PHONY: test-tools
test-tools: ## Test scripts/, which download their pinned tools
	FLEETIO_NETWORK_TESTS=1 go test -count=1 ./scripts
