# The front door. `make help` lists what there is; the work is done by the scripts in tools/.

ARGS ?=
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
export FUZZ_SECONDS

.PHONY: all
all: ## build the release: the program is build/weir
	@tools/deps build
	@tools/build release

.PHONY: run
run: ## build, and start weir with a small real model behind it (ARGS="--listen ...")
	@tools/deps run
	@tools/run $(ARGS)

.PHONY: test
test: ## build, and run the unit and integration tests
	@tools/deps test
	@tools/build dev
	@tools/run-tests dev

.PHONY: check
check: ## all that is checked before a change is accepted (FUZZ_SECONDS=60 for each fuzz target)
	@tools/deps check
	@tools/check

.PHONY: fault
fault: ## kill, starve and cut short the release build, for half an hour (as root: with disks of its own)
	@tools/deps test
	@tools/build release
	@WEIR_FAULT=full tools/run-tests --fault release $(ARGS)

.PHONY: bench
bench: ## compare with nginx on this machine
	@tools/deps bench
	@tools/build release
	@tools/bench $(ARGS)

.PHONY: format
format: ## lay the C sources out as clang-format says
	@tools/format

.PHONY: coverage
coverage: ## which lines the tests do not reach, file by file
	@tools/deps test
	@tools/coverage

.PHONY: install
install: all ## install the program (PREFIX=/usr/local, DESTDIR=)
	@cmake --install build/release --prefix $(PREFIX)

.PHONY: clean
clean: ## remove what was built, but not what was fetched (build/deps, build/venv)
	@if [ -d build ]; then \
	    find build -mindepth 1 -maxdepth 1 ! -name deps ! -name venv -exec rm -rf {} +; fi

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-9s %s\n", $$1, $$2 }'
