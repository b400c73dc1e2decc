#!/bin/sh
# The steps of the GitHub Action (action.yml).
#
#   scripts/action.sh install   puts firma on the PATH: release FIRMA_VERSION, or this checkout
#   scripts/action.sh test      runs the fixtures in FIRMA_PATHS, one path a line; annotations on
#                               standard output, JUnit XML to FIRMA_JUNIT, outputs and job summary
#
# Inputs come through the environment and never through the text of a script: whoever opens a pull
# request chooses names of files and cases.
set -eu

root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd -P)

# An annotation without a place. Standard output may be captured; the runner reads both.
fail() {
  printf '::error title=firma policy test::%s\n' "$1" >&2
  exit 2
}

# Fetches what a version names and prints the program: a release by scripts/install.sh, else the
# sources of that tag or branch.
fetch() {
  case "$1" in
    -* | *[!A-Za-z0-9._/-]*) fail "the version is no release, tag or branch" ;;
  esac
  repository="${GITHUB_SERVER_URL:-https://github.com}/${GITHUB_ACTION_REPOSITORY:-firma/firma}"
  case "$1" in
    v[0-9]*)
      "$root/scripts/install.sh" --version "$1" --prefix "$RUNNER_TEMP/firma" \
        --base-url "$repository/releases" >&2 || fail "cannot install the release that was asked for"
      printf '%s' "$RUNNER_TEMP/firma/bin/firma"
      return
      ;;
  esac
  git clone --quiet --depth 1 --branch "$1" "$repository" "$RUNNER_TEMP/firma/source" >&2 ||
    fail "cannot fetch the version that was asked for"
  printf '%s' "$RUNNER_TEMP/firma/source/scripts/firma"
}

install() {
  mkdir -p "$RUNNER_TEMP/firma/bin"
  program="$root/scripts/firma"
  [ -z "${FIRMA_VERSION:-}" ] || program=$(fetch "$FIRMA_VERSION")
  [ "$program" = "$RUNNER_TEMP/firma/bin/firma" ] || ln -sf "$program" "$RUNNER_TEMP/firma/bin/firma"
  printf '%s\n' "$RUNNER_TEMP/firma/bin" >>"$GITHUB_PATH"
  "$RUNNER_TEMP/firma/bin/firma" version
}

# attribute NAME: a number from the head of the JUnit report; no case can write there.
attribute() {
  number=$(sed -n "2s/.* $1=\"\([0-9]*\)\".*/\1/p" "$junit" 2>/dev/null || true)
  printf '%s' "${number:-0}"
}

# The text between <pre> marks shows as it is, whatever cases are called.
summary() {
  printf '## firma policy test: %s\n\n%s passed, %s failed\n\n<pre>\n' "$1" "$passed" "$failed"
  grep -v '^::' "$output" | head -c 500000 | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g' || true
  printf '</pre>\n'
}

run_fixtures() {
  junit=${FIRMA_JUNIT:-firma-policy-test.xml}
  case "$junit" in
    *"
"*) fail "the path of the report has more than one line" ;;
  esac
  set --
  while IFS= read -r path; do
    [ -z "$path" ] || set -- "$@" "$path"
  done <<PATHS
${FIRMA_PATHS:-.}
PATHS
  output=$(mktemp)
  trap 'rm -f "$output"' EXIT
  rm -f "$junit"
  code=0
  firma policy test --github --coverage --junit "$junit" -- "$@" >"$output" 2>&1 || code=$?
  cat "$output"
  failed=$(attribute failures)
  passed=$(($(attribute tests) - failed))
  printf 'passed=%s\nfailed=%s\njunit=%s\n' "$passed" "$failed" "$junit" >>"$GITHUB_OUTPUT"
  case "$code" in
    0) verdict=passed ;;
    1) verdict=failed ;;
    *) verdict="could not run" ;;
  esac
  summary "$verdict" >>"$GITHUB_STEP_SUMMARY"
  exit "$code"
}

case "${1:-}" in
  install) install ;;
  test) run_fixtures ;;
  *)
    echo "scripts/action.sh: install or test; see the head of this script" >&2
    exit 2
    ;;
esac
