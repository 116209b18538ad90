import { applyEdits, modify, parse, type ParseError } from 'jsonc-parser';

import { UsageError } from '../../../protocol/errors.ts';

/** What is read and written of a package.json. */
export interface PackageJson {
  readonly name?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  /** The packages whose install scripts npm runs. */
  readonly allowScripts?: Readonly<Record<string, boolean>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const SECTIONS = ['scripts', 'allowScripts', 'dependencies', 'devDependencies'] as const;

/** A key of package.json. */
export interface Key {
  readonly section: (typeof SECTIONS)[number];
  readonly name: string;
  readonly value: string | boolean;
}

/** @throws UsageError when it is no JSON object. */
export function parsePackageJson(text: string): PackageJson {
  const errors: ParseError[] = [];
  const content: unknown = parse(text.replace(/^\uFEFF/, ''), errors);
  if (errors.length > 0 || typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new UsageError('package.json is no JSON object; nothing was changed');
  }
  return content;
}

/** All scripts and packages in it, and the install scripts that it allows. */
export function keysOf(content: PackageJson): Key[] {
  return SECTIONS.flatMap(section => {
    const values: Readonly<Record<string, string | boolean>> = content[section] ?? {};
    return Object.entries(values).map(([name, value]) => ({ section, name, value }));
  });
}

/** What a package.json has for a key; a package can be in either section. */
export function valueOf(content: PackageJson, { section, name }: Key): string | boolean | undefined {
  if (section === 'scripts' || section === 'allowScripts') return content[section]?.[name];
  return content.dependencies?.[name] ?? content.devDependencies?.[name];
}

/** Adds keys. The rest of the text stays as it is, to the byte. */
export function withKeys(text: string, keys: readonly Key[]): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? '  ';
  const isTabs = indent.startsWith('\t');
  const formattingOptions = { insertSpaces: !isTabs, tabSize: isTabs ? 1 : indent.length, eol };
  let edited = text;
  for (const { section, name, value } of keys) {
    edited = applyEdits(edited, modify(edited, [section, name], value, { formattingOptions }));
  }
  return edited;
}
