#!/bin/sh
# Installs a released firma for the current user; needs no root.
#
#   curl -fsSL https://github.com/firma/firma/releases/latest/download/install.sh | sh
#   curl -fsSL … | sh -s -- [--version VERSION] [--prefix DIR]
#
#   --version VERSION   a release such as v1.2.0, or latest (the default); also FIRMA_VERSION
#   --prefix DIR        the program goes to DIR/bin (default: ~/.local)
#   --base-url URL      where releases are, https:// or file:// (default: those on GitHub)
#   --public-key KEY    the minisign key of who made the release (default: firma's own)
#   --uninstall         takes the program away again, and says what it leaves
#
# Of a release the program firma-TARGET, SHA256SUMS and its signature SHA256SUMS.minisig are fetched.
# What the key did not sign is not installed, nor another release than the one that was asked for,
# and what is installed already stays until the new one has run.
set -eu

# The key that releases are signed with (minisign form); scripts/release writes it here.
RELEASE_KEY=

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

# sha BITS: prints the SHA-2 of standard input in hexadecimal.
sha() {
  if command -v "sha$1sum" >/dev/null 2>&1; then
    "sha$1sum"
  elif command -v shasum >/dev/null 2>&1; then
    shasum -a "$1"
  elif command -v openssl >/dev/null 2>&1; then
    openssl dgst "-sha$1" -r
  else
    fail "Cannot verify the release: sha$1sum, shasum and openssl are all missing"
  fi | cut -d ' ' -f 1
}

# Prints what base64 stands for as decimal bytes; nothing if it is not whole.
decode_base64() {
  printf '%s\n' "$1" | awk '
    BEGIN { letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" }
    { sub(/=*$/, "") }
    /^[A-Za-z0-9+\/]+$/ {
      for (i = 1; i <= length($0); i++) {
        held = held * 64 + index(letters, substr($0, i, 1)) - 1
        count += 6
        if (count < 8) continue
        count -= 8
        size = 1
        for (k = 0; k < count; k++) size *= 2
        byte = int(held / size)
        held -= byte * size
        printf "%s%d", separator, byte
        separator = " "
      }
    }'
}

# Prints decimal bytes as escapes of printf.
octal() { for byte; do printf '\\%03o' "$byte"; done; }

# Says by "yes" whether an Ed25519 signature holds (RFC 8032, 5.1.7). In awk, because a machine
# without openssl must not install what nobody vouches for; there is nothing secret in verifying.
# Numbers modulo 2^255 - 19 are 15 limbs of 17 bits, points four such numbers: x, y, z and xy/z.
#
#   ed25519 KEY R S HASH    bytes in decimal; HASH is the SHA-512 of R, KEY and the message
ed25519() {
  awk -v KEY="$1" -v R="$2" -v S="$3" -v HASH="$4" '
    function bits(bytes, out, count,  list, n, i, k, byte) {
      for (i = 0; i < count; i++) out[i] = 0
      n = split(bytes, list, " ")
      for (i = 0; i < n; i++) {
        byte = list[i + 1]
        for (k = 0; k < 8; k++) { out[8 * i + k] = byte % 2; byte = int(byte / 2) }
      }
    }
    function pack(bit, r,  i, k) {
      for (i = 0; i < 15; i++) { r[i] = 0; for (k = 16; k >= 0; k--) r[i] = 2 * r[i] + bit[17 * i + k] }
    }
    function constant(r, bytes,  bit) { bits(bytes, bit, 256); pack(bit, r) }
    function small(r, value,  i) { for (i = 1; i < 15; i++) r[i] = 0; r[0] = value }
    function copy(r, o, a, p,  i) { for (i = 0; i < 15; i++) r[o + i] = a[p + i] }
    function carry(r, o, c,  i) {
      for (i = 0; i < 15; i++) { r[o + i] += c; c = int(r[o + i] / 131072); r[o + i] -= c * 131072 }
      return c
    }
    function fold(r, o,  c) { c = carry(r, o, 0); c = carry(r, o, 19 * c); r[o] += 19 * c }
    # What follows computes modulo p = 2^255 - 19, on the numbers at o, p and q of its arrays.
    function add(r, o, a, p, b, q,  i) { for (i = 0; i < 15; i++) r[o + i] = a[p + i] + b[q + i]; fold(r, o) }
    function take(r, o, a, p, b, q,  i) {
      for (i = 0; i < 15; i++) r[o + i] = a[p + i] - b[q + i] + (i ? 262142 : 262106)
      fold(r, o)
    }
    function mul(r, o, a, p, b, q,  t, i, k, x) {
      for (i = 0; i < 30; i++) t[i] = 0
      for (i = 0; i < 15; i++) { x = a[p + i]; for (k = 0; k < 15; k++) t[i + k] += x * b[q + k] }
      for (i = 0; i < 15; i++) t[i] += 19 * t[i + 15]
      fold(t, 0); copy(r, o, t, 0)
    }
    # z to the power whose bits are ones, but for the last five, which tail has.
    function power(r, z, count, tail,  i) {
      small(r, 1)
      for (i = count - 1; i >= 0; i--) {
        mul(r, 0, r, 0, r, 0)
        if (i > 4 || substr(tail, 5 - i, 1) == 1) mul(r, 0, r, 0, z, 0)
      }
    }
    # Brings a below p.
    function settle(a,  t) {
      fold(a, 0); fold(a, 0); copy(t, 0, a, 0)
      if (carry(t, 0, 19)) copy(a, 0, t, 0)
    }
    function same(a, b,  t, i) {
      take(t, 0, a, 0, b, 0); settle(t)
      for (i = 0; i < 15; i++) if (t[i]) return 0
      return 1
    }
    # The sum of two points (5.1.4).
    function plus(r, a, b,  t) {
      take(t, 0, a, 15, a, 0); take(t, 15, b, 15, b, 0); mul(t, 0, t, 0, t, 15)
      add(t, 15, a, 15, a, 0); add(t, 30, b, 15, b, 0); mul(t, 15, t, 15, t, 30)
      mul(t, 30, a, 45, b, 45); mul(t, 30, t, 30, D, 0); add(t, 30, t, 30, t, 30)
      mul(t, 45, a, 30, b, 30); add(t, 45, t, 45, t, 45)
      take(t, 60, t, 15, t, 0); take(t, 75, t, 45, t, 30)
      add(t, 90, t, 45, t, 30); add(t, 105, t, 15, t, 0)
      mul(r, 0, t, 60, t, 75); mul(r, 15, t, 90, t, 105)
      mul(r, 30, t, 75, t, 90); mul(r, 45, t, 60, t, 105)
    }
    # The point that 32 bytes stand for; returns 0 where they stand for none (5.1.3).
    function point(r, bytes,  bit, sign, y, u, v, t, x) {
      bits(bytes, bit, 256); sign = bit[255]; bit[255] = 0; pack(bit, y)
      mul(t, 0, y, 0, y, 0); take(u, 0, t, 0, ONE, 0); mul(v, 0, t, 0, D, 0); add(v, 0, v, 0, ONE, 0)
      mul(t, 0, v, 0, v, 0); mul(x, 0, t, 0, v, 0); mul(x, 0, x, 0, u, 0)
      mul(t, 0, t, 0, t, 0); mul(t, 0, t, 0, x, 0); power(bit, t, 252, "11101"); mul(x, 0, x, 0, bit, 0)
      mul(t, 0, x, 0, x, 0); mul(t, 0, t, 0, v, 0)
      if (!same(t, u)) {
        mul(x, 0, x, 0, ROOT, 0); mul(t, 0, x, 0, x, 0); mul(t, 0, t, 0, v, 0)
        if (!same(t, u)) return 0
      }
      settle(x)
      if (x[0] % 2 != sign) { take(x, 0, ZERO, 0, x, 0); settle(x) }
      copy(r, 0, x, 0); copy(r, 15, y, 0); copy(r, 30, ONE, 0); mul(r, 45, x, 0, y, 0)
      return 1
    }
    # Whether a number is below the order of the group, and t what it is above it.
    function below_order(a, t,  i, c) {
      for (i = c = 0; i < 15; i++) {
        t[i] = a[i] - ORDER[i] - c
        c = t[i] < 0
        if (c) t[i] += 131072
      }
      return c
    }
    function modulo_order(r, bit,  t, i, k) {
      small(r, 0)
      for (i = 511; i >= 0; i--) {
        for (k = 0; k < 15; k++) r[k] *= 2
        r[0] += bit[i]; carry(r, 0, 0)
        if (!below_order(r, t)) copy(r, 0, t, 0)
      }
    }
    function bit_of(a, i) { return int(a[int(i / 17)] / TWO[i % 17]) % 2 }
    function holds(  bit, h, s, p, b, q, t, z, both, i, hi, si, sign) {
      bits(hash_bytes(), bit, 512); modulo_order(h, bit); constant(s, S)
      if (!below_order(s, t) || !point(p, KEY) || !point(b, BASE)) return 0
      take(p, 0, ZERO, 0, p, 0); take(p, 45, ZERO, 0, p, 45)
      plus(both, p, b)
      copy(q, 0, ZERO, 0); copy(q, 15, ONE, 0); copy(q, 30, ONE, 0); copy(q, 45, ZERO, 0)
      for (i = 253; i >= 0; i--) {
        plus(q, q, q); hi = bit_of(h, i); si = bit_of(s, i)
        if (hi && si) plus(q, q, both); else if (hi) plus(q, q, p); else if (si) plus(q, q, b)
      }
      # It holds if s times the base less h times the key is R, byte for byte.
      copy(t, 0, q, 30); power(z, t, 255, "01011")
      bits(R, bit, 256); sign = bit[255]; bit[255] = 0; pack(bit, h)
      mul(t, 0, q, 0, z, 0); settle(t)
      if (t[0] % 2 != sign) return 0
      mul(t, 0, q, 15, z, 0); settle(t)
      for (i = 0; i < 15; i++) if (t[i] != h[i]) return 0
      return 1
    }
    function hash_bytes(  i, out) {
      for (i = 1; i < 128; i += 2) out = out " " 16 * digit(i) + digit(i + 1)
      return out
    }
    function digit(i) { return index("0123456789abcdef", substr(HASH, i, 1)) - 1 }
    BEGIN {
      small(ZERO, 0); small(ONE, 1); TWO[0] = 1
      for (i = 1; i < 17; i++) TWO[i] = 2 * TWO[i - 1]
      constant(D, "163 120 89 19 202 77 235 117 171 216 65 65 77 10 112 0 152 232 121 119 121 64 199 140 115 254 111 43 238 108 3 82")
      constant(ROOT, "176 160 14 74 39 27 238 196 120 228 47 173 6 24 67 47 167 215 251 61 153 0 77 43 11 223 193 79 128 36 131 43")
      constant(ORDER, "237 211 245 92 26 99 18 88 214 156 247 162 222 249 222 20 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 16")
      BASE = "88 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102 102"
      if (length(HASH) == 128 && holds()) print "yes"
    }
'
}

# Fails unless FILE has the signature in MINISIG by the minisign key KEY.
# (https://jedisct1.github.io/minisign: two bytes of algorithm, eight that name the key, the rest.)
check_signature() { # FILE MINISIG KEY
  wrong="Cannot verify the release: SHA256SUMS.minisig"
  key=$(decode_base64 "$3")
  # shellcheck disable=SC2086 # the bytes are words
  set -- "$1" "$2" $key
  [ $# = 44 ] && [ "$3 $4" = "69 100" ] || fail "Cannot use the public key: it is no minisign key"
  file=$1 minisig=$2 key_id="$5 $6 $7 $8 $9 ${10} ${11} ${12}"
  shift 12
  key=$*
  signature=$(decode_base64 "$(sed -n 2p "$minisig" | tr -d '\r')")
  # shellcheck disable=SC2086
  set -- $signature
  [ $# = 74 ] && [ "$1 $2" = "69 100" ] || fail "$wrong holds no signature"
  [ "$3 $4 $5 $6 $7 $8 $9 ${10}" = "$key_id" ] || fail "$wrong is by another key"
  shift 10
  r='' s='' count=0
  for byte; do
    count=$((count + 1))
    if [ $count -le 32 ]; then r="$r $byte"; else s="$s $byte"; fi
  done
  # shellcheck disable=SC2059,SC2086 # octal makes the format, of numbers
  hash=$({ printf "$(octal $r $key)" && cat -- "$file"; } | sha 512)
  [ "$(ed25519 "$key" "$r" "$s" "$hash")" = yes ] || fail "$wrong does not hold: somebody changed the release"
}

# Prints the SHA-256 that SHA256SUMS has for a name.
sum_of() { # SUMS NAME
  while read -r sum name; do
    case "$name" in "$2" | "*$2") printf '%s' "$sum" && return ;; esac
  done <"$1"
}

# How bubblewrap, which confines agents on Linux, is had here.
say_what_is_missing() {
  [ "$(uname -s)" = Linux ] && ! command -v bwrap >/dev/null 2>&1 || return 0
  for manager in "apt-get install" "dnf install" "pacman -S" "zypper install" "apk add"; do
    command -v "${manager%% *}" >/dev/null 2>&1 || continue
    say "bubblewrap is missing, without which no agent runs: sudo $manager bubblewrap"
    return 0
  done
  say "bubblewrap is missing, without which no agent runs; install it with your system's packages"
}

# Takes away the program and nothing else.
uninstall() {
  program=$1/bin/firma
  [ -e "$program" ] || [ -L "$program" ] || fail "Cannot uninstall: there is no $program"
  rm -f -- "$program" || fail "Cannot uninstall: $program cannot be removed"
  say "removed $program"
  say "keys and audit logs stay in ${XDG_DATA_HOME:-${HOME:-}/.local/share}/firma, policies in the projects' .firma"
}

# Nothing runs before the last line, so that half of a download does nothing.
main() {
  version=${FIRMA_VERSION:-latest} prefix='' key=$RELEASE_KEY what=install
  base=https://github.com/firma/firma/releases
  while [ $# -gt 0 ]; do
    case "$1" in
      -h | --help)
        echo "usage: install.sh [--version VERSION] [--prefix DIR] [--base-url URL] [--public-key KEY] [--uninstall]"
        exit 0
        ;;
      --uninstall)
        what=uninstall
        shift
        ;;
      --version | --prefix | --base-url | --public-key)
        [ -n "${2:-}" ] || usage "$1 needs a value"
        case "$1" in
          --version) version=$2 ;;
          --prefix) prefix=$2 ;;
          --public-key) key=$2 ;;
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
  if [ -z "$prefix" ]; then
    [ -n "${HOME:-}" ] || fail "Cannot install: HOME is not set; name a directory with --prefix"
    prefix=$HOME/.local
  fi
  case "$prefix" in /*) ;; *) prefix=$PWD/$prefix ;; esac
  if [ "$what" = uninstall ]; then
    uninstall "$prefix"
    return
  fi
  [ -n "$key" ] || fail "Cannot verify releases: this copy of the script has no key; use that of a release, or --public-key"

  asset=firma-$(target)
  url=$base/download/$version
  [ "$version" != latest ] || url=$base/latest/download
  to=$prefix/bin
  mkdir -p -- "$to" 2>/dev/null || fail "Cannot install to \"$to\": it cannot be made; try --prefix DIR"
  # Beside the place where the program goes: the last step is a rename then.
  work=$(mktemp -d "$to/.firma-install.XXXXXX" 2>/dev/null) ||
    fail "Cannot install to \"$to\": it cannot be written; try --prefix DIR"
  trap 'rm -rf -- "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP

  say "fetching $asset ($version) ..."
  for name in SHA256SUMS SHA256SUMS.minisig; do
    fetch "$url/$name" "$work/$name" ||
      fail "Cannot fetch $url/$name: there may be no such release, or no way to it"
  done
  check_signature "$work/SHA256SUMS" "$work/SHA256SUMS.minisig" "$key"
  # An old release is signed as well: which one this is, SHA256SUMS says under the name VERSION.
  if [ "$version" != latest ]; then
    [ "$(sum_of "$work/SHA256SUMS" VERSION)" = "$(printf '%s\n' "$version" | sha 256)" ] ||
      fail "Cannot install $version: the release at $url is another one"
  fi
  expected=$(sum_of "$work/SHA256SUMS" "$asset")
  [ -n "$expected" ] || fail "Cannot install $asset: the release has none"
  fetch "$url/$asset" "$work/firma" || fail "Cannot fetch $url/$asset: it broke off"
  actual=$(sha 256 <"$work/firma")
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
  say_what_is_missing
}

main "$@"
