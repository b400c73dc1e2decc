/** The shells that completions are there for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of {@linkcode SHELLS}. */
export type Shell = typeof SHELLS[number];

// In each of them firma itself says what may come next; the shell only shows it, and completes
// files, directories and commands, which it quotes as they need it.

const BASH = `# Completions of firma for bash.
_firma() {
  local current=\${COMP_WORDS[COMP_CWORD]} kind line words=() i
  COMPREPLY=()
  # Bash takes "--name=value" for three words.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} == = && \${words[-1]-} == --* ]]; then
      words[-1]+==
    elif [[ \${words[-1]-} == --*= ]]; then
      words[-1]+=\${COMP_WORDS[i]}
    else
      words+=("\${COMP_WORDS[i]}")
    fi
  done
  [[ $current == = ]] && current=
  {
    IFS= read -r kind
    while IFS= read -r line; do
      line=\${line%%$'\\t'*}
      [[ \${words[-1]} == --*=* ]] && line=\${line#--*=}
      [[ $kind == words || -n $line ]] && COMPREPLY+=("$line")
    done
  } < <("\${COMP_WORDS[0]}" __complete "\${words[@]}" 2>/dev/null)
  [[ $kind == files || $kind == directories ]] && compopt -o filenames
  case $kind in
    files) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    directories) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    commands) mapfile -t COMPREPLY < <(compgen -c -- "$current") ;;
  esac
} 2>/dev/null
complete -F _firma firma
`;

const ZSH = `#compdef firma
# Completions of firma for zsh.
_firma() {
  local kind line value
  local -a found lines
  lines=("\${(@f)$(_call_program firma \${(q)words[1]} __complete \${(q)words[2,CURRENT]} 2>/dev/null)}")
  kind=$lines[1]
  for line in "\${(@)lines[2,-1]}"; do
    value=\${line%%$'\\t'*}
    found+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
  done
  (( $#found )) && _describe -t firma firma found
  case $kind in
    files) _files ;;
    directories) _files -/ ;;
    commands) (( CURRENT )) && _command_names -e || _files ;;
  esac
}
if [ "$funcstack[1]" = _firma ]; then
  _firma "$@"
else
  compdef _firma firma
fi
`;

const FISH = `# Completions of firma for fish.
function __firma_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] 2>/dev/null)
    switch "$lines[1]"
        case files
            __fish_complete_path (commandline -ct)
        case directories
            __fish_complete_directories (commandline -ct)
        case commands
            __fish_complete_command
    end
    printf '%s\\n' $lines[2..-1]
end
complete -c firma -f -a '(__firma_complete)'
`;

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

/** What a shell has to read to complete command lines of firma. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}
