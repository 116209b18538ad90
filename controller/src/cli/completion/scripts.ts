import { type CompletedCommand, type CompletedOption, type Words } from './words.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/**
 * The script with which a shell completes `hotcast`, also with a folder before it. It knows commands and options, and asks the controller
 * for the names of modules and nodes.
 */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands);
}

/** Text in single quotes, as POSIX shells read it. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Options with values by what their values are; an option means the same in each command that has it. */
function valueCases(commands: readonly CompletedCommand[], then: (words: Words) => string): string {
  const values = new Map<string, Words>();
  for (const { flag, value } of commands.flatMap(({ options }) => options)) if (value !== null) values.set(flag, value);
  const groups = new Map<string, string[]>();
  for (const [flag, words] of values) groups.set(then(words), [...(groups.get(then(words)) ?? []), flag]);
  return [...groups].map(([action, flags]) => `    ${flags.join('|')}) ${action} ;;`).join('\n');
}

function bashScript(commands: readonly CompletedCommand[]): string {
  const wordsOf = (words: Words): string =>
    words === 'files'
      ? 'compopt -o default'
      : typeof words === 'string'
        ? `words=$("$1" completion ${words} 2>/dev/null)`
        : `words=${quoted(words.join(' '))}`;
  const cases = commands.flatMap(({ name, options, words }) => [
    `    '${name} -'*) ${wordsOf(options.map(({ flag }) => flag))} ;;`,
    `    '${name} '*) ${wordsOf(words)} ;;`,
  ]);
  return `# Completion of hotcast for bash: eval "$(hotcast completion bash)"
_hotcast() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command='' words=''
  ((COMP_CWORD == 1)) || command=\${COMP_WORDS[1]}
  case $prev in
${valueCases(commands, wordsOf)}
    *) case "$command $cur" in
    ' '*) ${wordsOf(commands.map(({ name }) => name))} ;;
${cases.join('\n')}
    esac ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _hotcast hotcast
`;
}

/** Words with their descriptions, as `_describe` takes them. */
function described(words: readonly { readonly word: string; readonly description: string }[]): string {
  return words.map(({ word, description }) => quoted(`${word}:${description}`)).join(' ');
}

function zshScript(commands: readonly CompletedCommand[]): string {
  const wordsOf = (words: Words): string =>
    words === 'files'
      ? '_files'
      : typeof words === 'string'
        ? `compadd -- \${(f)"$($words[1] completion ${words} 2>/dev/null)"}`
        : words.length === 0
          ? ':'
          : `compadd -- ${words.map(quoted).join(' ')}`;
  const optionsOf = (options: readonly CompletedOption[]): string =>
    `found=(${described(options.map(({ flag, description }) => ({ word: flag, description })))}); _describe option found`;
  const cases = commands.flatMap(({ name, options, words }) => [
    `    '${name} -'*) ${optionsOf(options)} ;;`,
    `    '${name} '*) ${wordsOf(words)} ;;`,
  ]);
  const names = described(commands.map(({ name, description }) => ({ word: name, description })));
  return `#compdef hotcast
# Completion of hotcast for zsh: eval "$(hotcast completion zsh)"
_hotcast() {
  local command=''
  local -a found
  (( CURRENT == 2 )) || command=$words[2]
  case $words[CURRENT-1] in
${valueCases(commands, wordsOf)}
    *) case "$command $PREFIX" in
    ' '*) found=(${names}); _describe command found ;;
${cases.join('\n')}
    esac ;;
  esac
}
compdef _hotcast hotcast
`;
}

function fishScript(commands: readonly CompletedCommand[]): string {
  const wordsOf = (words: Words): string =>
    typeof words === 'string' ? quoted(`(__hotcast_names ${words})`) : quoted(words.join(' '));
  const lines = commands.flatMap(({ name, description, options, words }) => {
    const when = `complete -c hotcast -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c hotcast -n __fish_use_subcommand -a ${name} -d ${fishQuoted(description)}`,
      ...(words.length === 0 ? [] : [words === 'files' ? `${when} -F` : `${when} -a ${wordsOf(words)}`]),
      ...options.map(({ flag, description: what, value }) => {
        const takes = value === null ? '' : value.length === 0 ? ' -x' : ` -x -a ${wordsOf(value)}`;
        return `${when} -l ${flag.slice(2)}${takes} -d ${fishQuoted(what)}`;
      }),
    ];
  });
  return `# Completion of hotcast for fish: hotcast completion fish | source
function __hotcast_names
    set -l typed (commandline -opc)
    command $typed[1] completion $argv 2>/dev/null
end
complete -c hotcast -f
${lines.join('\n')}
`;
}

/** Text in single quotes, as fish reads it. */
const fishQuoted = (text: string): string => `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
