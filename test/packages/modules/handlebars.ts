import Handlebars from 'handlebars';

Handlebars.registerHelper('loud', (text: string) => text.toUpperCase());
const template = Handlebars.compile('{{#each users}}{{loud name}}{{#unless @last}}, {{/unless}}{{/each}}');

export function check() {
  return template({ users: [{ name: 'Ada' }, { name: '<b>' }] });
}
