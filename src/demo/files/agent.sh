#!/bin/sh
# An agent as small as can be: a task, a model, and a shell that does what the model says. It speaks
# the Messages API (https://docs.anthropic.com/en/api/messages) with one tool, bash, and ends when
# the model has nothing more to do.
#
#   agent.sh TASK
set -u

model=https://api.anthropic.com/v1/messages
tool='{"name":"bash","description":"Run a command","input_schema":{"type":"object","properties":{"command":{"type":"string"}},"required":["command"]}}'

# A text as it stands between the quotes of a JSON string, and back.
to_json() {
  tr -d '\000-\010\013-\037' | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/\t/\\t/g' |
    sed -e ':a' -e '$!{N;ba' -e '}' -e 's/\n/\\n/g'
}
from_json() { sed -e 's/\\\\/\x01/g' -e 's/\\n/\n/g' -e 's/\\"/"/g' -e 's/\x01/\\/g'; }
# The string that follows $1 in an answer.
string_after() { sed -n 's/.*'"$1"'"\(\([^"\\]\|\\.\)*\)".*/\1/p' | from_json; }

messages="{\"role\":\"user\",\"content\":\"$(printf '%s' "$1" | to_json)\"}"
while :; do
  answer=$(
    printf '{"model":"stand-in","max_tokens":1024,"tools":[%s],"messages":[%s]}' "$tool" "$messages" |
      curl -sS "$model" -H 'content-type: application/json' -H 'anthropic-version: 2023-06-01' \
        --data-binary @-
  ) || exit 1
  content=$(printf '%s' "$answer" | sed -n 's/.*"content":\(\[.*\]\),"stop_reason".*/\1/p')
  if [ -z "$content" ]; then
    printf 'agent: the model answered: %s\n' "$answer" >&2
    exit 1
  fi
  printf '%s\n' "$(printf '%s' "$content" | string_after '"type":"text","text":')"
  command=$(printf '%s' "$content" | string_after '"input":{"command":')
  [ -n "$command" ] || exit 0
  id=$(printf '%s' "$content" | string_after '"type":"tool_use","id":')
  printf '$ %s\n' "$command"
  result=$(sh -c "$command" 2>&1 </dev/null | head -c 4096)
  printf '%s\n' "$result"
  messages="$messages,{\"role\":\"assistant\",\"content\":$content},{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"$id\",\"content\":\"$(printf '%s' "$result" | to_json)\"}]}"
done
