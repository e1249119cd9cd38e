# `make demo` and `make test` fetch what they need by themselves: each is the only command to type.

ARGS ?=
TESTFLAGS ?=
BENCH ?= .
COUNT ?= 1
RUNS ?= 10
FORM ?= full

.DEFAULT_GOAL := help
.PHONY: help deps demo test lockorder model cover asan valgrind cross browser conformance bench docker-base docker-test lint fmt tables ci

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

deps: ## install libzmq's headers, pkg-config and a C compiler where they are missing
	@scripts/deps.sh

demo: deps ## run every exit hazard, raw and guarded, and print the table (ARGS='-runs 20')
	@go run ./cmd/zmq-exit-demo $(ARGS)

test: deps ## run all tests with the race detector, shuffled (TESTFLAGS='-short -run Name')
	@go test -race -shuffle=on $(TESTFLAGS) ./...

# Tests that measure memory are left out, since the check itself allocates.
lockorder: deps ## run the short tests of zmqsafe, and check in which order locks are taken
	@go test -tags zmqsafe_lockorder -short -skip 'Allocations$$|LeaksNoMemory$$' ./zmqsafe/...

model: deps ## have spin check the model of the wait, and replay on it what the guard does; installs spin where it is missing (FORM=short)
	@scripts/model.sh $(FORM)

cover: deps ## run the tests of zmqsafe, linger and shutdown, and print what they don't execute
	@scripts/cover.sh

asan: deps ## run what has C in it with AddressSanitizer and UBSan
	@scripts/asan.sh

valgrind: deps ## run what has C in it under valgrind; installs it where it is missing
	@scripts/valgrind.sh

cross: deps ## run the short tests for arm64, arm and s390x under qemu, vet for 386, ppc64le, riscv64; installs what is missing (ARCH='arm 386')
	@nice scripts/cross.sh

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

lint: deps ## check with go vet, staticcheck, gofumpt and go mod tidy, for other processors, and the documentation's tables
	@scripts/lint.sh

fmt: ## format all Go files with gofumpt, and C with clang-format
	@go tool -modfile=tools/go.mod gofumpt -w .
	@git ls-files '*.[ch]' | xargs clang-format -i

tables: deps ## rewrite the documentation's tables from what commands print (DEMO_LOG=file DOCKER_LOG=file BENCH_LOG=file)
	@scripts/tables.sh

ci: deps ## what a change must pass: lint, browser, test, lockorder, demo, cross for arm64, and docker-test where an engine answers
	@scripts/ci.sh
