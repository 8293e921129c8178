# shellcheck shell=bash disable=SC2034
# Sourced by the other scripts: where things are, and an environment that is the same however they are started.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# make's own settings must reach neither cargo nor a kernel: both would wait for a job server that is gone.
unset MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS CARGO_MAKEFLAGS
# A crate below evcxr is compiled anew, with all that need it, where CI is set or is set no longer.
unset CI

root=$PWD
venv=$root/.venv
state=$root/.haetae
# Outside the clone, so that a second clone starts warm; a service may have no home.
cache=${XDG_CACHE_HOME:-${HOME:-$state}/.cache}/haetae
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
case $CARGO_TARGET_DIR in /*) ;; *) CARGO_TARGET_DIR=$root/$CARGO_TARGET_DIR ;; esac
export HAETAE_BIN=$CARGO_TARGET_DIR/debug
# cmake for LightGBM's build, and jupyter.
export PATH=$venv/bin:$PATH

# The declarations of the Korea Customs Service, if they lie in the usual place beside the clone.
kcs=${HAETAE_KCS_DIR:-$root/../shared/data/kcs-declarations}
unset HAETAE_KCS_DIR
if [ -d "$kcs" ]; then
    HAETAE_KCS_DIR=$(cd "$kcs" && pwd)
    export HAETAE_KCS_DIR
fi

say() { printf '\n== %s\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# CRATE [LOCK FILE]: its version in a lock file.
locked_version() {
    sed -n "/^name = \"$1\"$/{n;s/version = \"\(.*\)\"/\1/p}" "${2:-Cargo.lock}"
}

# WORD FILTER: runs the Rust tests called FILTER, and prints the lines that they begin with WORD; where there is none, or a
# test fails, all that was said.
lines_of_tests() {
    local said
    said=$(cargo test --workspace --locked -q "$2" -- --include-ignored --nocapture 2>&1) && grep -o "$1: .*" <<<"$said" ||
        { printf '%s\n' "$said" >&2; return 1; }
}
