/** The only way from text to elements. The server has escaped everything in it; scripts in it would not run either. */
const policy = trustedTypes().createPolicy('hotcast', { createHTML: html => html });

interface Policy {
  createHTML(html: string): string;
}

/** Not all browsers have trusted types. */
function trustedTypes(): { createPolicy(name: string, rules: Policy): Policy } {
  const known = (window as unknown as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } })
    .trustedTypes;
  return known ?? { createPolicy: (_, rules) => rules };
}

/** The element that HTML is of; null when it is of none. */
export function elementOf(html: string): Element | null {
  const template = document.createElement('template');
  template.innerHTML = policy.createHTML(html);
  return template.content.firstElementChild;
}

/** Makes an element like another one, and keeps what is equal: the focus, what is selected, and what is open stay. */
export function morph(from: Element, to: Element): void {
  if (from.tagName !== to.tagName) return from.replaceWith(to);
  for (const { name } of Array.from(from.attributes))
    if (!to.hasAttribute(name) && !isOwn(from, name)) from.removeAttribute(name);
  for (const { name, value } of Array.from(to.attributes))
    if (from.getAttribute(name) !== value && !isOwn(from, name)) from.setAttribute(name, value);
  // The client script writes ages.
  if (from.tagName === 'TIME') return;
  const [olds, news] = [[...from.childNodes], [...to.childNodes]];
  news.forEach((node, index) => {
    const old = olds[index];
    if (old === undefined) from.append(node);
    else if (old instanceof Element && node instanceof Element) morph(old, node);
    else if (old.nodeType === node.nodeType && !(node instanceof Element)) {
      if (old.nodeValue !== node.nodeValue) old.nodeValue = node.nodeValue;
    } else old.replaceWith(node);
  });
  for (const old of olds.slice(news.length)) old.remove();
}

/** What the user, or this script, has set. */
function isOwn({ tagName }: Element, name: string): boolean {
  return (tagName === 'DETAILS' && name === 'open') || (tagName === 'BUTTON' && name === 'hidden');
}
