import { Marked } from 'marked';

const marked = new Marked({ gfm: true });
marked.use({ renderer: { strong: ({ text }) => `<b>${text}</b>` } });

export function check() {
  return marked.parse('# Hot\n\n- **code**\n- ~~cold~~');
}
