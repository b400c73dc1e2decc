#!/bin/sh
# Installs a released firma for the current user; needs no root.
#
#   curl -fsSL https://github.com/firma/firma/releases/latest/download/install.sh | sh
#   sh install.sh [--version VERSION] [--to DIR] [--base-url URL]
#
#   --version VERSION   a release such as v1.2.0, or latest (the default); also FIRMA_VERSION
#   --to DIR            where the program goes (default: ~/.local/bin)
#   --base-url URL      where releases are, https:// or file:// (default: those on GitHub)
#
# Of a release the program firma-TARGET and firma-TARGET.sha256 are fetched. What does not have
# that SHA-256 is not installed, and what is installed already stays until the new one has run.
set -eu

say() { printf 'firma: %s\n' "$1" >&2; }
fail() {
  say "$1"
  exit 1
}
usage() {
  say "$1; see the head of scripts/install.sh"
  exit 2
}

# Prints the target that releases are built for and this machine runs.
target() {
  system=$(uname -s) machine=$(uname -m)
  case "$system $machine" in
    "Linux x86_64" | "Linux amd64") printf 'x86_64-unknown-linux-gnu' ;;
    "Linux aarch64" | "Linux arm64") printf 'aarch64-unknown-linux-gnu' ;;
    "Darwin x86_64") printf 'x86_64-apple-darwin' ;;
    "Darwin arm64") printf 'aarch64-apple-darwin' ;;
    MINGW* | MSYS* | CYGWIN*) fail "Cannot install on Windows itself: use WSL, and install there" ;;
    *) fail "Cannot install on $system $machine: there is no release for it; build from source" ;;
  esac
}

# fetch URL FILE: over HTTPS to the end, redirects included, or from this machine's files.
fetch() {
  case "$1" in
    file://*) cp -- "${1#file://}" "$2" 2>/dev/null && return ;;
    *)
      if command -v curl >/dev/null 2>&1; then
        curl --proto '=https' --tlsv1.2 --fail --silent --show-error --location \
          --retry 2 --connect-timeout 20 --output "$2" -- "$1" && return
      elif command -v wget >/dev/null 2>&1; then
        wget --https-only --quiet --tries=3 --timeout=20 --output-document="$2" -- "$1" && return
      else
        fail "Cannot fetch a release: neither curl nor wget is there"
      fi
      ;;
  esac
  return 1
}

# Prints the SHA-256 of a file.
sha256_of() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum <"$1"
  elif command -v shasum >/dev/null 2>&1; then
    shasum -a 256 <"$1"
  elif command -v openssl >/dev/null 2>&1; then
    openssl dgst -sha256 -r <"$1"
  else
    fail "Cannot verify the release: sha256sum, shasum and openssl are all missing"
  fi | cut -d ' ' -f 1
}

is_sha256() {
  case "$1" in *[!0-9a-f]*) return 1 ;; esac
  [ ${#1} = 64 ]
}

# Nothing runs before the last line, so that half of a download does nothing.
main() {
  version=${FIRMA_VERSION:-latest} to='' base=https://github.com/firma/firma/releases
  while [ $# -gt 0 ]; do
    case "$1" in
      -h | --help)
        echo "usage: install.sh [--version VERSION] [--to DIR] [--base-url URL]"
        exit 0
        ;;
      --version | --to | --base-url)
        [ -n "${2:-}" ] || usage "$1 needs a value"
        case "$1" in
          --version) version=$2 ;;
          --to) to=$2 ;;
          *) base=${2%/} ;;
        esac
        shift 2
        ;;
      *) usage "Cannot use \"$1\": there is no such option" ;;
    esac
  done
  case "$version" in
    latest | v[0-9]*) ;;
    [0-9]*) version=v$version ;;
    *) usage "Cannot install \"$version\": it is no release such as v1.2.0" ;;
  esac
  case "$version" in
    *[!A-Za-z0-9.+-]*) usage "Cannot install \"$version\": it is no release such as v1.2.0" ;;
  esac
  case "$base" in
    https://* | file:///*) ;;
    *) usage "Cannot fetch from \"$base\": it is neither https:// nor file://" ;;
  esac
  if [ -z "$to" ]; then
    [ -n "${HOME:-}" ] || fail "Cannot install: HOME is not set; name a directory with --to"
    to=$HOME/.local/bin
  fi
  case "$to" in /*) ;; *) to=$PWD/$to ;; esac

  asset=firma-$(target)
  url=$base/download/$version/$asset
  [ "$version" != latest ] || url=$base/latest/download/$asset
  mkdir -p -- "$to" 2>/dev/null || fail "Cannot install to \"$to\": it cannot be made; try --to DIR"
  # Beside the place where the program goes: the last step is a rename then.
  work=$(mktemp -d "$to/.firma-install.XXXXXX" 2>/dev/null) ||
    fail "Cannot install to \"$to\": it cannot be written; try --to DIR"
  trap 'rm -rf -- "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP

  say "fetching $asset ($version) ..."
  fetch "$url.sha256" "$work/sha256" ||
    fail "Cannot fetch $url.sha256: there may be no such release, or no way to it"
  fetch "$url" "$work/firma" || fail "Cannot fetch $url: it broke off"
  expected=$(head -n 1 "$work/sha256" | cut -d ' ' -f 1)
  is_sha256 "$expected" || fail "Cannot verify the release: $asset.sha256 holds no SHA-256"
  actual=$(sha256_of "$work/firma")
  [ "$actual" = "$expected" ] ||
    fail "Cannot install $asset: its SHA-256 is $actual, the release says $expected"

  chmod 755 "$work/firma"
  installed=$("$work/firma" version 2>/dev/null) ||
    fail "Cannot install $asset: it does not run on this machine; on Linux it needs glibc"
  mv -f -- "$work/firma" "$to/firma"
  say "installed $installed as $to/firma"
  case ":$PATH:" in
    *":$to:"*) ;;
    *) say "$to is not on your PATH; add this to your shell's profile: export PATH=\"$to:\$PATH\"" ;;
  esac
}

main "$@"
