# Sourced by the other scripts: where builds, models and tools are kept between checkouts.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache="${TRYSQUARE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/trysquare}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"
export TRYSQUARE_SMOLLM2="${TRYSQUARE_SMOLLM2:-$cache/models/SmolLM2-135M-Instruct.Q4_1.gguf}"
export PATH="$cache/bin:$HOME/.cargo/bin:$PATH"

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

# step NAME COMMAND…: runs a command and prints how long it took.
step() {
  local name=$1 begin=$SECONDS
  shift
  say "== $name"
  "$@" || { local code=$?; say "== $name failed"; return $code; }
  say "== $name: $((SECONDS - begin)) s"
}
