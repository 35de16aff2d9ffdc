#!/usr/bin/env bash
# Installs what a make target needs and this machine lacks: Debian packages with apt (through sudo when not root),
# Python packages in .venv with the versions of requirements/*.txt. What is there already is left alone, and a
# second run does nothing. Without a network Debian's own python3-cffi (and rich) serve for `make demo`.
#
# usage: tools/bootstrap.sh demo|test|test-slow|bench|lint|format|coverage|asan|tsan|fuzz|profile|docs|wheel
# PYTHON=... chooses the interpreter of .venv (default: python3 on PATH).
set -euo pipefail
cd "$(dirname "$0")/.."

group=${1:?usage: tools/bootstrap.sh TARGET}
build="compiler cmake boost expat python-headers venv"
case $group in
  demo)                     system="$build"                     modules="runtime" ;;
  test | asan | tsan)       system="$build yaz pkg-config"      modules="runtime test" ;;
  test-slow)                system="$build yaz pkg-config valgrind" modules="runtime test" ;;
  coverage)                 system="$build yaz pkg-config"      modules="runtime test coverage" ;;
  bench)                    system="$build yaz valgrind"        modules="runtime bench" ;;
  profile)                  system="$build valgrind"            modules="runtime" ;;
  lint)                     system="$build clang-tidy"          modules="runtime lint" ;;
  format)                   system="venv"                       modules="lint" ;;
  fuzz)                     system="compiler cmake boost expat clang fuzzer" modules="" ;;
  docs)                     system="$build"                     modules="runtime docs" ;;
  wheel)                    system="$build"                     modules="runtime" ;;
  *) echo "tools/bootstrap.sh: no such target: $group" >&2; exit 2 ;;
esac

say() { echo "libmarc: $*"; }
die() { echo "libmarc: $*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# ---- nothing to do? -------------------------------------------------------------------------------------------------
state=.venv/.libmarc
requirements=()
for name in $modules; do requirements+=("requirements/$name.txt"); done
wanted=$(cat tools/bootstrap.sh "${requirements[@]}" | cksum)
if [ -n "${PYTHON:-}" ] && [ -e "$state/python" ] && [ "$(command -v "$PYTHON")" != "$(cat "$state/python")" ]; then
  say "making .venv anew with $PYTHON"
  rm -rf .venv
fi
if [ -n "$modules" ] && [ "$(cat "$state/$group" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
  exit 0
fi

# ---- Debian packages ------------------------------------------------------------------------------------------------
python=$(command -v "${PYTHON:-python3}") || die "${PYTHON:-python3} is not there; install the package python3."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
  die "$python is $("$python" -V 2>&1), and 3.10 is needed; name a newer one with PYTHON=..."

requested=$python

# The package that belongs to the chosen interpreter: python3-dev, or python3.13-dev if it is not the system's own.
python_package() {
  local name=python3
  if [ "$(readlink -f "$python")" != "$(readlink -f /usr/bin/python3)" ]; then
    name=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
  fi
  echo "$name-$1"
}
has_pip() { [ -e $state/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1; }
has_header() { echo "#include <$1>" | "${CXX:-c++}" -std=c++20 -E -x c++ - >/dev/null 2>&1; }
has_python_header() {
  "$1" -c 'import os, sys, sysconfig as s; sys.exit(not os.path.exists(s.get_path("include") + "/Python.h"))'
}
can_fuzz() {
  echo 'extern "C" int LLVMFuzzerTestOneInput(const char *, unsigned long) { return 0; }' |
    clang++ -fsanitize=fuzzer,address -x c++ - -o /dev/null 2>/dev/null
}

# Prints the packages that are needed and not there.
missing_packages() {
  local need
  for need in $system; do
    case $need in
      compiler) has_header version && has "${CC:-cc}" || echo g++ ;;
      cmake) has cmake || echo cmake ;;
      boost) [ -e /usr/include/boost/version.hpp ] || has_header boost/version.hpp || echo libboost-dev ;;
      expat) [ -e /usr/include/expat.h ] || has_header expat.h || echo libexpat1-dev ;;
      python-headers) has_python_header "$python" || python_package dev ;;
      venv) has_pip || "$python" -c 'import ensurepip, venv' 2>/dev/null || python_package venv ;;
      yaz) has yaz-marcdump || echo yaz ;;
      fuzzer) ! has clang++ || can_fuzz || echo "libclang-rt-$(clang++ -dumpversion | cut -d. -f1)-dev" ;;
      *) has "$need" || echo "$need" ;;
    esac
  done
}

# Installs packages; fails, with the reason in $reason, where that is not possible. An absent network is noticed
# within ten seconds: no server has answered a single request by then.
unreachable="no package server can be reached"
apt_install() {
  local log root=()
  has apt-get || { reason="apt-get is not there to install them"; return 1; }
  if [ "$(id -u)" != 0 ]; then
    has sudo || { reason="only root can install them and there is no sudo"; return 1; }
    sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; } || { reason="sudo does not allow to install them"; return 1; }
    root=(sudo)
  fi
  root+=(env DEBIAN_FRONTEND=noninteractive)
  mkdir -p build
  log=build/apt.log
  "${root[@]}" timeout 10 apt-get update -o Acquire::Retries=0 >"$log" 2>&1 </dev/null || true
  if ! grep -qE '^(Get|Hit):' "$log"; then
    reason=$unreachable
    return 1
  fi
  say "installing with apt: $* (needed once, may take minutes; log: $log)"
  grep -q '^Reading package lists' "$log" || "${root[@]}" apt-get update >>"$log" 2>&1 </dev/null || true
  "${root[@]}" apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1 </dev/null || {
    tail -n 5 "$log" >&2
    reason="apt could not install them"
    return 1
  }
}

# ---- Python without a network -----------------------------------------------------------------------------------------
# The modules that serve in place of pip's packages; none where Debian's would not do.
case $modules in
  runtime) needed_modules="cffi" ;;
  "runtime test") needed_modules="cffi pytest hypothesis" ;;
  *) needed_modules="" ;;
esac
importable() { "$1" -c "import $2" 2>/dev/null; }
# Prints an interpreter that has them all.
python_with_modules() {
  local candidate
  [ -n "$needed_modules" ] || return 1
  for candidate in "$python" /usr/bin/python3; do
    if [ -x "$candidate" ] && importable "$candidate" "${needed_modules// /, }" && has_python_header "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  return 1
}
# Prints the Debian packages of those that python3 lacks.
missing_modules() {
  local module
  for module in $needed_modules; do importable "$python" "$module" || echo "python3-$module"; done
}

# ---- install ----------------------------------------------------------------------------------------------------------
give_up() { die "make $group needs the packages ${missing[*]}, and $reason; install them, then run it again."; }

offline=
reason=
mapfile -t missing < <(missing_packages)
if [ ${#missing[@]} -gt 0 ] && ! apt_install "${missing[@]}"; then
  if [ "$reason" = "$unreachable" ]; then
    # Without a network pip is of no use, and with Debian's modules there is no need for python3-venv.
    offline=yes
    system=${system/venv/}
    mapfile -t missing < <(missing_packages; python_with_modules >/dev/null || missing_modules)
  fi
  [ ${#missing[@]} = 0 ] || give_up
fi
mapfile -t missing < <(missing_packages) # clang's run-time library is known once clang is there
[ ${#missing[@]} = 0 ] || apt_install "${missing[@]}" || give_up
if [[ $system == *cmake* ]]; then
  version=$(cmake --version | sed -n '1s/[^0-9]*//p')
  printf '3.25\n%s\n' "$version" | sort -CV || die "CMake 3.25 or newer is needed, and this is $version."
fi
[ -n "$modules" ] || exit 0

# ---- .venv ------------------------------------------------------------------------------------------------------------
# Whether PyPI answers, without waiting long for it: mdurl is a package of 10 KB.
pypi_answers() {
  local folder status=0
  folder=$(mktemp -d)
  timeout 8 .venv/bin/python -m pip --disable-pip-version-check --quiet download --no-deps --timeout 4 --retries 0 \
    --dest "$folder" "$(grep ^mdurl== requirements/runtime.txt)" >/dev/null 2>&1 || status=1
  rm -rf "$folder"
  return $status
}
new_venv() {
  rm -rf .venv
  "$@" .venv >/dev/null || die "the virtual environment .venv could not be made with: $*"
  mkdir -p $state
  echo "$requested" >$state/python
}

if [ -z "$offline" ]; then
  if ! has_pip; then
    say "making a virtual environment in .venv with $python"
    new_venv "$python" -m venv
  fi
  if pypi_answers; then
    say "installing with pip in .venv: $(sed '/^#/d; s/;.*//' "${requirements[@]}" | sort -u | tr '\n' ' ')"
    arguments=()
    for file in "${requirements[@]}"; do arguments+=(-r "$file"); done
    .venv/bin/python -m pip --disable-pip-version-check --quiet install "${arguments[@]}" ||
      die "pip could not install what ${requirements[*]} name."
  elif [ -n "$needed_modules" ] && importable .venv/bin/python "${needed_modules// /, }"; then
    say "PyPI cannot be reached; .venv has what is needed already"
  else
    offline=yes
  fi
fi
if [ -n "$offline" ]; then
  found=$(python_with_modules) || {
    names=$(missing_modules | tr '\n' ' ')
    die "make $group needs ${names:-the packages of ${requirements[*]} }and PyPI cannot be reached;" \
      "${names:+install ${names}with apt (python3-rich for the progress bar), or }connect to the network," \
      "then run it again."
  }
  say "PyPI cannot be reached: using the Python packages of $found"
  python=$found
  new_venv "$python" -m venv --without-pip --system-site-packages
fi
echo "$wanted" >"$state/$group"
