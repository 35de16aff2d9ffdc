# The front door of libmarc: `make` prints what there is to do. Each target installs what it needs first
# (tools/bootstrap.sh), builds what has changed (tools/build.sh) and leaves the rest alone.
#
# Variables: FILE=... (demo, profile)  PYTHON=... (interpreter of .venv)  JOBS=... (parallel jobs)
#            TESTS="..." (arguments for pytest, such as -k or a file)
#            BENCH=... (bench: another command of the folder bench)  ARGS="..." (arguments for it)
#            FUZZ_SECONDS=... (for each fuzz target)  THREADS=... (test-threads)
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

FILE ?=
JOBS ?= $(shell nproc)
TESTS ?=
BENCH ?= run
ARGS ?=
FUZZ_SECONDS ?= 60
THREADS ?= 2
export FILE JOBS PYTHON
# What is about reading, not about records.
READING := $(patsubst %,tests/python/test_%.py,batches boundary_properties boundary_rule damage_kinds damaged differences \
  faults io_faults iterator_states live_streams modes parallel positions pymarc_parity ranges sources threads)

# What is about records, and what is written of them.
OBJECTS := $(patsubst %,tests/python/test_%.py,batch_fields decoding differences field leader native_writers objects \
  pymarc_api pymarc_suite record salvage text_forms writers)

BUILD := build/release
PY := .venv/bin/python
# The Python package of a build folder, without installing it.
package = PYTHONPATH=$(CURDIR)/$(1)/python LIBMARC_BUILD_DIR=$(CURDIR)/$(1)
# Where a sanitizer cannot place its memory, the addresses of a program must not be random.
fixed_addresses = $(shell setarch -R true 2>/dev/null && echo setarch -R)
preload = LD_PRELOAD="$$($${CC:-cc} -print-file-name=$(1)) $$($${CXX:-c++} -print-file-name=libstdc++.so.6)"

.PHONY: help demo test test-threads test-pure test-slow bench lint format coverage asan tsan fuzz profile docs wheel clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: ## read a MARC file and show what is in it: a generated one, or FILE=...
	@tools/bootstrap.sh demo
	@tools/build.sh release marc_package
	@$(if $(FILE),,$(MAKE) --no-print-directory -s build/demo.mrc)
	@$(call package,$(BUILD)) $(PY) -m libmarc info "$${FILE:-build/demo.mrc}"; status=$$?; \
	  if [ $$status -gt 1 ]; then exit $$status; fi

# 10 000 mixed records, a few of them damaged; made once.
build/demo.mrc: tests/fixtures/generate.py
	@mkdir -p build
	$(PY) tests/fixtures/generate.py demo 10000 --seed 1 --out $@

test: ## C++, C and Python tests (quick: large data in samples)
	@tools/bootstrap.sh test
	@tools/build.sh release
	@$(PY) tools/fetch_loc.py
	ctest --test-dir $(BUILD) --output-on-failure --parallel $(JOBS); native=$$?; \
	  $(call package,$(BUILD)) $(PY) -m pytest -m "not slow" $(TESTS) && exit $$native

test-threads: ## the tests of reading again, on THREADS threads (2)
	@tools/bootstrap.sh test
	@tools/build.sh release
	MARC_NUM_THREADS=$(THREADS) ctest --test-dir $(BUILD) --output-on-failure --parallel $(JOBS) -R 'pipeline|reader|ring|pool'
	MARC_NUM_THREADS=$(THREADS) $(call package,$(BUILD)) $(PY) -m pytest -m "not slow" $(READING)

test-pure: ## the tests of records, fields and writers again, with objects made by Python, not by C++
	@tools/bootstrap.sh test
	@tools/build.sh release
	LIBMARC_PURE_PYTHON=1 $(call package,$(BUILD)) $(PY) -m pytest -m "not slow" $(OBJECTS)

test-slow: ## the tests that take long: whole files, long properties, valgrind
	@tools/bootstrap.sh test-slow
	@tools/build.sh release
	@$(PY) tools/fetch_loc.py
	@$(MAKE) --no-print-directory -s build/demo.mrc
	valgrind --quiet --leak-check=full --show-leak-kinds=definite,possible --errors-for-leak-kinds=definite \
	  --error-exitcode=9 $(BUILD)/tests/capi/read_all build/demo.mrc
	$(call package,$(BUILD)) $(PY) -m pytest -m slow $(TESTS)

bench: ## measure against pymarc, mrrc, rmarc and yaz-marcdump (BENCH=..., ARGS=...: bench/README.md)
	@tools/bootstrap.sh bench
	@tools/build.sh release
	@$(PY) tools/fetch_loc.py
	$(call package,$(BUILD)) $(PY) bench/$(BENCH).py $(ARGS)

lint: ## formatting, clang-tidy, ruff, mypy, include rules
	@tools/bootstrap.sh lint
	@tools/build.sh release marc_ffi
	@tools/lint.sh

format: ## format all C, C++ and Python files
	@tools/bootstrap.sh format
	@git ls-files -co --exclude-standard '*.cpp' '*.hpp' '*.c' '*.h' ':!capi/include/marc/marc.h' | xargs .venv/bin/clang-format -i
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

coverage: ## lines of C++ and Python that the tests execute; report in build/coverage
	@tools/bootstrap.sh coverage
	@tools/build.sh coverage
	@$(PY) tools/fetch_loc.py
	@find build/coverage -name '*.gcda' -delete
	ctest --test-dir build/coverage --output-on-failure --parallel $(JOBS)
	$(call package,build/coverage) $(PY) -m coverage run --data-file=build/coverage/python.data \
	  -m pytest -m "not slow" $(TESTS)
	LIBMARC_PURE_PYTHON=1 $(call package,build/coverage) $(PY) -m coverage run --append --data-file=build/coverage/python.data \
	  -m pytest -m "not slow" $(OBJECTS)
	$(PY) -m coverage report --data-file=build/coverage/python.data
	$(PY) -m gcovr --root . --filter 'core/' --filter 'capi/' --filter 'python_cffi/' --exclude-throw-branches --merge-lines --merge-mode-functions=separate \
	  --gcov-suspicious-hits-threshold 0 --sort uncovered-number \
	  --html-details build/coverage/cpp.html --txt - build/coverage

asan: ## tests of all kinds with AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/bootstrap.sh asan
	@tools/build.sh asan
	UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1 \
	  ctest --test-dir build/asan --output-on-failure --parallel $(JOBS); native=$$?; \
	  $(call package,build/asan) LIBMARC_SANITIZER=asan $(call preload,libasan.so) PYTHONMALLOC=malloc \
	  UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 \
	  LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 \
	  $(PY) -m pytest -m "not slow" $(TESTS) && exit $$native

tsan: ## tests of all kinds with ThreadSanitizer
	@tools/bootstrap.sh tsan
	@tools/build.sh tsan
	TSAN_OPTIONS=suppressions=$(CURDIR)/tests/tsan.supp:die_after_fork=0 \
	  $(fixed_addresses) ctest --test-dir build/tsan --output-on-failure --parallel $(JOBS); native=$$?; \
	  TSAN_OPTIONS=suppressions=$(CURDIR)/tests/tsan.supp:die_after_fork=0 \
	  $(call package,build/tsan) LIBMARC_SANITIZER=tsan $(call preload,libtsan.so) \
	  $(fixed_addresses) $(PY) -m pytest -m "not slow" $(TESTS) && exit $$native

fuzz: ## run each fuzz target for FUZZ_SECONDS
	@tools/bootstrap.sh fuzz
	@tools/build.sh fuzz
	@found=; for target in build/fuzz/tests/fuzz/fuzz_*; do \
	  [ -x "$$target" ] && [ -f "$$target" ] || continue; found=yes; name=$${target##*/}; \
	  mkdir -p "build/fuzz/corpus/$$name"; \
	  "$$target" -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=build/fuzz/ "build/fuzz/corpus/$$name" \
	    $$(ls -d tests/fuzz/corpus/$$name 2>/dev/null) || exit 1; \
	done; [ -n "$$found" ] || { echo "there is no fuzz target in tests/fuzz"; exit 1; }

profile: ## instructions (callgrind) and bytes (massif) of reading a file from memory, in build/profile
	@tools/bootstrap.sh profile
	@tools/build.sh release
	@$(if $(FILE),,$(MAKE) --no-print-directory -s build/demo.mrc)
	@mkdir -p build/profile
	valgrind --quiet --tool=callgrind --callgrind-out-file=build/profile/callgrind.out \
	  $(BUILD)/tests/capi/read_all "$${FILE:-build/demo.mrc}" bytes
	callgrind_annotate --threshold=95 build/profile/callgrind.out | tee build/profile/instructions.txt | head -n 60
	valgrind --quiet --tool=massif --massif-out-file=build/profile/massif.out \
	  $(BUILD)/tests/capi/read_all "$${FILE:-build/demo.mrc}" path
	ms_print build/profile/massif.out | tee build/profile/bytes.txt | head -n 40

docs: ## reference of the Python package as HTML in build/docs; checks the links of all documents
	@tools/bootstrap.sh docs
	@tools/build.sh release marc_package
	@$(PY) tools/check_links.py
	$(call package,$(BUILD)) $(PY) -m pdoc --output-directory build/docs libmarc

wheel: ## build a wheel in dist
	@tools/bootstrap.sh wheel
	$(PY) -m pip wheel --no-deps --wheel-dir dist .

clean: ## remove all that make has made: build, dist, .venv (not the cache of downloads)
	rm -rf build dist .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
