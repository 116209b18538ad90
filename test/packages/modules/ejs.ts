import ejs from 'ejs';

export function check() {
  return ejs.render('<% for (const n of names) { %><li><%= n %></li><% } %>', { names: ['Ada', '<b>'] });
}
