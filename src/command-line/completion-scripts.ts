/** Shells that can be told how to complete. */
export type Shell = 'bash' | 'zsh' | 'fish' | 'powershell';

/** What a shell needs to complete a program, and how a person loads it. */
export interface CompletionScript {
  script(program: string): string;
  load(program: string): string;
}

// Each script hands the words before the cursor to `<program> __complete -- WORD… :CURRENT` and shows what comes back: a line that
// says which paths the shell adds, then `word<tab>summary` a line. The colon keeps an empty word from being dropped on the way.
// Words are passed as arguments, never evaluated: what somebody is only typing must not run.

/** The scripts by shell. */
export const completionScripts: Readonly<Record<Shell, CompletionScript>> = {
  bash: {
    load: (program) => `source <(${program} completion bash)`,
    script: (program) => `# bash completion of ${program}. To load it: source <(${program} completion bash)
${functionName(program)}() {
  local words=() word at gap current=\${COMP_WORDS[COMP_CWORD]} rest=\${COMP_LINE#*"\${COMP_WORDS[0]}"} answer line paths=
  # bash takes a line apart at = and :, too; what was typed as one word is put together again.
  for ((at = 1; at <= COMP_CWORD; at += 1)); do
    word=\${COMP_WORDS[at]}
    gap=\${rest%%[![:space:]]*}
    rest=\${rest#"$gap"}
    rest=\${rest#"$word"}
    if [[ -n $gap || \${#words[@]} -eq 0 ]]; then words+=("$word"); else words[\${#words[@]} - 1]+=$word; fi
  done
  [[ $current == [=:] ]] && current=
  at=$((\${#words[@]} - 1))
  answer=$(${program} __complete -- "\${words[@]:0:at}" ":\${words[at]}" 2>/dev/null) || return
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ -z $paths ]]; then
      paths=$line
      continue
    fi
    line=\${line%%$'\\t'*}
    [[ $COMP_WORDBREAKS == *=* ]] && line=\${line#--*=}
    COMPREPLY+=("$line")
  done <<< "$answer"
  local option
  case $paths in
    files) option=-f ;;
    folders) option=-d ;;
    *) return ;;
  esac
  compopt -o filenames 2>/dev/null
  while IFS= read -r line; do
    [[ -n $line ]] && COMPREPLY+=("$line")
  done < <(compgen "$option" -- "$current")
}
complete -F ${functionName(program)} ${program}
`,
  },
  zsh: {
    load: (program) => `source <(${program} completion zsh)`,
    script: (program) => `#compdef ${program}
# zsh completion of ${program}. To load it: source <(${program} completion zsh), after compinit
${functionName(program)}() {
  local -a lines described
  local line word summary paths
  lines=("\${(@f)$(${program} __complete -- "\${(@Q)words[2,CURRENT-1]}" ":\${(Q)PREFIX}" 2>/dev/null)}")
  paths=\${lines[1]}
  for line in "\${(@)lines[2,-1]}"; do
    word=\${line%%$'\\t'*}
    summary=\${line#*$'\\t'}
    described+=("\${word//:/\\\\:}\${summary:+:$summary}")
  done
  (( \${#described} )) && _describe '${program}' described
  [[ $paths == none ]] || compset -P '--*='
  case $paths in
    files) _files ;;
    folders) _files -/ ;;
  esac
}
if [[ $funcstack[1] == ${functionName(program)} ]]; then
  ${functionName(program)} "$@"
else
  compdef ${functionName(program)} ${program}
fi
`,
  },
  fish: {
    load: (program) => `${program} completion fish > ~/.config/fish/completions/${program}.fish`,
    script: (program) => `# fish completion of ${program}. To load it: ${program} completion fish | source
function ${functionName(program)}
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    set -l answer (${program} __complete -- $words ":$current" 2>/dev/null)
    set -l flag (string match -r -- '^--[^=]+=' "$current")
    set -l path (string replace -r -- '^--[^=]+=' '' "$current")
    switch "$answer[1]"
        case files
            __fish_complete_path "$path" | string replace -r -- '^' "$flag"
        case folders
            __fish_complete_directories "$path" | string replace -r -- '^' "$flag"
    end
    set -e answer[1]
    for line in $answer
        echo $line
    end
end
complete -c ${program} -f -a '(${functionName(program)})'
`,
  },
  powershell: {
    load: (program) => `${program} completion powershell | Out-String | Invoke-Expression`,
    script: (program) => `# PowerShell completion of ${program}.
# To load it: ${program} completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName ${program} -ScriptBlock {
  param($current, $line, $cursor)
  $words = @($line.CommandElements | Select-Object -Skip 1 |
    Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { $_.Extent.Text })
  # An answer without words leaves PowerShell to complete paths.
  & ${program} __complete '--' @words ":$current" 2>$null | Select-Object -Skip 1 | ForEach-Object {
    $word, $summary = $_ -split "\`t", 2
    if (-not $summary) { $summary = $word }
    [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $summary)
  }
}
`,
  },
};

function functionName(program: string): string {
  return `_${program.replaceAll('-', '_')}_completion`;
}
