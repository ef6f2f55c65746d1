# make            set up what is missing and build build/taipan (release, without profile-guided optimisation)
# make test       set up, build, run every suite; closes with "N passed, N failed, N skipped"
# make release    the same build with profile-guided optimisation, in build-release/
# make debug      assertions on, -O1, in build-debug/          make asan   AddressSanitizer and UBSan, in build-asan/
# make bench      pairs Taipan against CPython 3.13            make conformance   CPython's own test modules, classes 1 to 3
# make sanitize   robustness, acceptance, classes 1 and 2 under build-asan (SHARD=I/N: a part)   make leaks         what grows when modules run repeatedly
# make oom        programs whose N-th allocation fails, a minute of them
# make fuzz       front end and marshal, FUZZ_SECONDS each, at the same time; what fails is written to build-fuzz/found
REFERENCE = deps/debian13/usr/bin/python3.13
PYTHON = build/taipan
SHARD = 0/1
FUZZ_SECONDS = 3600

all: build/taipan

.PHONY: all setup test release debug asan bench conformance sanitize leaks oom fuzz clean build/taipan

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

fuzz: setup
	@scripts/build build-fuzz fuzz
	@$(MAKE) --no-print-directory -j2 fuzz-compile fuzz-marshal

fuzz-%:
	@mkdir -p build-fuzz/corpus/$* build-fuzz/found
	ASAN_OPTIONS=detect_leaks=0 build-fuzz/fuzz_$* -max_total_time=$(FUZZ_SECONDS) -max_len=4000 -timeout=60 -rss_limit_mb=3000 \
	  -dict=tests/fuzz/python.dict -artifact_prefix=build-fuzz/found/$*- build-fuzz/corpus/$* tests/fuzz/corpus/$* 2>build-fuzz/$*.log || \
	  { tail -n 40 build-fuzz/$*.log; exit 1; }

clean:
	rm -rf build build-release build-debug build-asan build-fuzz
