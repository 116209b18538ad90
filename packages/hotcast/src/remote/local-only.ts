const THERE = "run it on the controller's machine, with --context default";

/** The commands that need the machine of the controller: its terminal, its files or its keys; and what to do instead. */
const LOCAL_ONLY: Readonly<Record<string, string>> = {
  shell: `use hotcast call, or ${THERE}`,
  dev: `use hotcast push --affected after an edit, or ${THERE}`,
  backup: THERE,
  restore: THERE,
  keys: `${THERE}; where the root key is in a folder, with --folder DIR, it needs no cluster`,
  operator: `of its commands, list does; ${THERE}`,
  serve: "the controller's container does this",
};

/** Why a command line does not work from afar, and what to do instead; null: it works. */
export function insteadOf([command = '', ...rest]: readonly string[]): string | null {
  const isList = command === 'operator' && rest.find(word => !word.startsWith('-')) === 'list';
  if (isList || !Object.hasOwn(LOCAL_ONLY, command)) return null;
  return `${command} does not work from afar: ${LOCAL_ONLY[command] ?? THERE}`;
}
