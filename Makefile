# make            set up what is missing and build build/taipan (release, without profile-guided optimisation)
# make test       set up, build, run every suite; closes with "N passed, N failed, N skipped"
# make release    the same build with profile-guided optimisation, in build-release/
# make debug      assertions on, -O1, in build-debug/          make asan   AddressSanitizer and UBSan, in build-asan/
# make bench      pairs Taipan against CPython 3.13            make conformance   CPython's own test modules, classes 1 to 3
# make sanitize   robustness, acceptance, classes 1 and 2 under build-asan (SHARD=I/N: a part)   make leaks         what grows when modules run repeatedly
# make oom        programs whose N-th allocation fails, a minute of them
REFERENCE = deps/debian13/usr/bin/python3.13
PYTHON = build/taipan
SHARD = 0/1

all: build/taipan

.PHONY: all setup test release debug asan bench conformance sanitize leaks oom clean build/taipan

setup:
	@scripts/setup

build/taipan: setup
	@scripts/build build release

release: setup
	@scripts/build build-release pgo

debug: setup
	@scripts/build build-debug debug

asan: setup
	@scripts/build build-asan asan

test: build/taipan
	@tests/run

conformance: build/taipan
	@$(REFERENCE) tests/conformance/conform.py --python $(PYTHON) --classes 1,2,3 --ledger tests/conformance/ledger.tsv

sanitize: asan
	@tests/run --python build-asan/taipan --suites robustness,acceptance,conformance --classes 1,2 --shard $(SHARD) --memory 0 --timeout-factor 8 \
	  --excuse tests/conformance/ledger_sanitizers.tsv

leaks: debug
	@$(REFERENCE) tests/leaks.py --python build-debug/taipan

oom: debug
	@$(REFERENCE) tests/oom.py --python build-debug/taipan --budget 60 --step 7

bench: build/taipan
	@$(REFERENCE) bench/run.py --py cpython=$(CURDIR)/$(REFERENCE) --py taipan=$(CURDIR)/$(PYTHON)

clean:
	rm -rf build build-release build-debug build-asan
