import { parse, parseDocument, stringify } from 'yaml';

export function check() {
  const document = parseDocument('# top\nname: Ada # first\nlist: [1, 2]\n');
  document.set('name', 'Grace');
  return [String(document), parse('a: &x {b: 1}\nc: *x\n'), stringify({ deep: [{ a: null }] })];
}
