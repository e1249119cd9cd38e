# `make demo` and `make test` fetch what they need by themselves: each is the only command to type.

ARGS ?=
TESTFLAGS ?=
BENCH ?= .
COUNT ?= 1
RUNS ?= 10

.DEFAULT_GOAL := help
.PHONY: help deps demo test cover asan valgrind browser conformance bench docker-base docker-test lint fmt ci

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

deps: ## install libzmq's headers, pkg-config and a C compiler where they are missing
	@scripts/deps.sh

demo: deps ## run every exit hazard, raw and guarded, and print the table (ARGS='-runs 20')
	@go run ./cmd/zmq-exit-demo $(ARGS)

test: deps ## run all tests with the race detector, shuffled (TESTFLAGS='-short -run Name')
	@go test -race -shuffle=on $(TESTFLAGS) ./...

cover: deps ## run the tests of zmqsafe, linger and shutdown, and print what they don't execute
	@scripts/cover.sh

asan: deps ## run what has C in it with AddressSanitizer and UBSan
	@scripts/asan.sh

valgrind: deps ## run what has C in it under valgrind; installs it where it is missing
	@scripts/valgrind.sh

browser: deps ## test the debug page in a real browser; installs Chromium where it is missing
	@scripts/browser.sh

conformance: deps ## run pebbe/zmq4's own tests on zmqsafe, and print how long each takes on raw and guarded (RUNS=n)
	@go test -race -count 1 -timeout 0 -v -run '^TestSuite$$' ./zmqsafe/internal/conformance -conformance.runs $(RUNS)

bench: deps ## measure raw and guarded side by side (BENCH=regexp COUNT=n)
	@go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./zmqsafe/

docker-base: ## make the base images of docker-test on a machine that can't pull them
	@docker/base.sh

docker-test: ## build and test in containers of three Debian releases, print a table (RUNS=n RELEASES='trixie')
	@docker/matrix.sh

lint: deps ## check with go vet, staticcheck, gofumpt and go mod tidy
	@scripts/lint.sh

fmt: ## format all Go files with gofumpt
	@go tool -modfile=tools/go.mod gofumpt -w .

ci: deps ## what a change must pass: lint, browser, test, demo, and docker-test where an engine answers
	@scripts/ci.sh
