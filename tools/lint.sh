#!/usr/bin/env bash
# What `make lint` checks, all of it even when something fails. Needs .venv with the lint tools and build/release.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=()
check() {
  local name=$1
  shift
  echo "== $name"
  "$@" || failed+=("$name")
}
sources() { git ls-files -co --exclude-standard -- "$@" | while read -r file; do [ ! -e "$file" ] || echo "$file"; done; }

# marc.h is laid out by hand, in columns that read as tables.
mapfile -t all < <(sources '*.cpp' '*.hpp' '*.c' '*.h' ':!capi/include/marc/marc.h')
# clang-tidy reads the C++ of core, C interface and Python package, and the headers they include.
mapfile -t units < <(sources 'core/*.cpp' 'capi/*.cpp' 'python_cffi/objects/*.cpp')
mkdir -p build/lint
# Clang does not know these options of GCC.
sed -E 's/ -(fno-gnu-unique|Wno-restrict)//g' build/release/compile_commands.json >build/lint/compile_commands.json

tidy() {
  printf '%s\n' "${units[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy -p build/lint --quiet \
    2> >(grep -vE '(warning|error)s? generated|Suppressed|Use -header-filter' >&2)
}

check "clang-format" .venv/bin/clang-format --dry-run --Werror "${all[@]}"
check "include rules" .venv/bin/python tools/check_includes.py
check "ruff check" .venv/bin/python -m ruff check .
check "ruff format" .venv/bin/python -m ruff format --check .
check "mypy" .venv/bin/python -m mypy
check "clang-tidy" tidy

if [ ${#failed[@]} -gt 0 ]; then
  echo "lint: failed: ${failed[*]}"
  exit 1
fi
echo "lint: all clean"
