import { JSDOM } from 'jsdom';

/** jsdom reads its default style sheet from a file beside its code. */
export function check() {
  const { window } = new JSDOM('<p>Hello</p><script>document.title = "ran"</script>', { runScripts: 'dangerously' });
  const { document } = window;
  const display = window.getComputedStyle(document.querySelector('p') as Element).display;
  window.close();
  return [document.title, display];
}
