import { load } from 'cheerio';

export function check() {
  const $ = load('<ul><li class="a">1</li><li>2</li></ul>');
  $('li.a').text('one').after('<li>new</li>');
  return {
    items: $('li')
      .map((_, item) => $(item).text())
      .get(),
    html: $('ul').html(),
  };
}
