import { elementOf, morph } from './morph.ts';

/** An open panel is read again so often (milliseconds). */
const REFRESH_MS = 2_000;

/** Opens panels beside the page, instead of a page of their own. The address follows, so that it can be shared and gone back from. */
export function openPanels(afterPatch: () => void): void {
  const place = document.getElementById('panel');
  if (place === null) return;
  let opener: string | null = null;

  const show = async (path: string, isNew: boolean): Promise<void> => {
    const response = await fetch(`${path}?part`);
    const element = response.ok ? elementOf(await response.text()) : null;
    if (element === null || location.pathname !== path) return;
    const open = place.firstElementChild;
    if (open === null || isNew) place.replaceChildren(element);
    else morph(open, element);
    if (isNew) place.querySelector<HTMLElement>('#panel-title')?.focus({ preventScroll: true });
    afterPatch();
  };
  const close = (): void => {
    place.replaceChildren();
    const back =
      opener === null ? null : document.querySelector<HTMLElement>(`a[data-panel][href="${CSS.escape(opener)}"]`);
    (back ?? document.getElementById('nodes'))?.focus({ preventScroll: true });
    opener = null;
  };
  const go = (): void => {
    if (location.pathname === '/') close();
    else void show(location.pathname, true);
  };

  document.addEventListener('click', event => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.origin !== location.origin) return;
    const isClose = link.hasAttribute('data-close');
    if (!isClose && !link.hasAttribute('data-panel')) return;
    event.preventDefault();
    if (!isClose && place.firstElementChild === null) opener = link.getAttribute('href');
    history.pushState(null, '', link.href);
    go();
  });
  document.addEventListener('keydown', event => {
    if (event.key !== 'Escape' || place.firstElementChild === null) return;
    history.pushState(null, '', '/');
    close();
  });
  window.addEventListener('popstate', go);
  setInterval(() => {
    if (location.pathname.startsWith('/nodes/') && !document.hidden)
      void show(location.pathname, false).catch(() => undefined);
  }, REFRESH_MS);
}
