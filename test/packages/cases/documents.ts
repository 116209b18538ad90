import { type PackageCase, refused, works } from '../package-case.ts';
import { NATIVE } from '../reasons.ts';

export const DOCUMENTS: readonly PackageCase[] = [
  works('cheerio', 'changes a list', {
    items: ['one', 'new', '2'],
    html: '<li class="a">one</li><li>new</li><li>2</li>',
  }),
  works('csv-parse', 'a stream with columns, and text', [
    [{ name: 'Ada, Countess', age: '36' }],
    [
      [1, 2],
      [3, 4],
    ],
  ]),
  works('ejs', 'a template', '<li>Ada</li><li>&lt;b&gt;</li>'),
  works('exceljs', 'writes and reads a workbook', ['Ada', 9.5]),
  works('handlebars', 'a template with a helper', 'ADA, &lt;B&gt;'),
  works('jsdom', 'runs a script, and computes a style from a file beside its code', ['ran', 'block']),
  works(
    'marked',
    'Markdown with a renderer',
    '<h1>Hot</h1>\n<ul>\n<li><b>code</b></li>\n<li><del>cold</del></li>\n</ul>\n',
  ),
  works('pdfkit', 'a page, with a font from a file beside its code', { start: '%PDF-', hasFont: true }),
  works('protobufjs', 'encodes and decodes a message', {
    hex: '0a03416461120301ac02',
    user: { name: 'Ada', visits: ['1', '300'] },
  }),
  refused('sharp', ...NATIVE),
  works(['swagger-ui', 'swagger-ui-express'], 'serves its page, and the style from a file of another package', [
    true,
    true,
    'text/css; charset=utf-8',
  ]),
  works('tiktoken', 'counts tokens in WebAssembly, from a file beside its code', {
    tokens: 3,
    text: 'Hello hot code',
  }),
  works('yaml', 'changes a document and keeps its comments', [
    '# top\nname: Grace # first\nlist: [ 1, 2 ]\n',
    { a: { b: 1 }, c: { b: 1 } },
    'deep:\n  - a: null\n',
  ]),
];
