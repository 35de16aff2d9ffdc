#!/usr/bin/env bash
# Configures build/PRESET once (again when .venv is another one) and builds it; silent when there is nothing to do.
#
# usage: tools/build.sh PRESET [CMAKE TARGET]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?usage: tools/build.sh PRESET [CMAKE TARGET]}
target=${2:-all}
folder=build/$preset
unset MAKEFLAGS MFLAGS MAKELEVEL # a make underneath is its own

if [ ! -e "$folder/.configured" ] || [ .venv/.libmarc/python -nt "$folder/.configured" ]; then
  arguments=(--preset "$preset")
  [ ! -e .venv/bin/python ] || arguments+=("-DPython_EXECUTABLE=$PWD/.venv/bin/python")
  ! command -v ninja >/dev/null || arguments+=(-G Ninja)
  mkdir -p "$folder"
  echo "libmarc: building $folder"
  cmake --fresh "${arguments[@]}" >"$folder/configure.log" 2>&1 || { cat "$folder/configure.log" >&2; exit 1; }
  touch "$folder/.configured"
fi
cmake --build "$folder" --target "$target" --parallel "${JOBS:-$(nproc)}" |
  sed -E '/Built target|Consolidate compiler|no work to do|Re-checking globbed|Python files|Re-run|^-- /d'
