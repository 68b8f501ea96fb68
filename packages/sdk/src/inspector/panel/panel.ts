/**
 * The inspector as a panel of plain DOM in a shadow root: it needs no framework, takes no style
 * from the page and gives none to it. What changes is shown at the next frame, and only in the tab
 * that is seen.
 */
import { inspect, type Inspected } from '../inspector.js';
import { button, el } from './dom.js';
import { historyTab } from './history-tab.js';
import { linksTab } from './links-tab.js';
import { rowsTab } from './rows-tab.js';
import { stepsTab } from './steps-tab.js';
import { storageTab } from './storage-tab.js';
import { styles } from './styles.js';
import { pick, type Tab } from './tab.js';
import { updatesTab } from './updates-tab.js';

export interface PanelOptions {
  /** Where it is put; it fills that. Default: the lower part of the page. */
  readonly into?: HTMLElement | undefined;
  /** Shown first. Default: the first that is open. */
  readonly space?: string | undefined;
  /** Called when the user closes it. */
  readonly onClose?: (() => void) | undefined;
}

export interface Panel {
  readonly element: HTMLElement;
  /** Takes it away, and ends the recording of rebase steps. */
  close(): void;
}

/**
 * Shows the inspector of that replica. Escape, or its button, closes it.
 *
 * @example
 * const { showInspector } = await import('@oxbow/sdk/inspector');
 * const panel = showInspector(replica, { space: 'team-42' });
 * panel.close();
 */
export function showInspector(replica: Inspected, options: PanelOptions = {}): Panel {
  const inspector = inspect(replica);
  const host = el('section', { 'aria-label': 'Oxbow inspector', 'data-oxbow-inspector': true });
  const root = host.attachShadow({ mode: 'open' });
  let frame: number | undefined;
  let isClosed = false;
  const later = (): void => {
    if (isClosed) return;
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      show();
    });
  };
  const tabs = [
    updatesTab(inspector, later), rowsTab(inspector, later), stepsTab(inspector),
    linksTab(inspector, later), storageTab(inspector), historyTab(inspector, later),
  ];
  const bar = tabBar(tabs, later);
  const space = pick<string>('Space', [options.space ?? inspector.spaces[0] ?? 'none'], later);
  const show = (): void => {
    const names = inspector.spaces;
    if (names.length === 0) return;
    space.offer(names);
    bar.shown.show(space.value);
  };
  const stop = inspector.subscribe(later);
  const close = (): void => {
    isClosed = true;
    stop();
    if (frame !== undefined) cancelAnimationFrame(frame);
    inspector.close();
    host.remove();
  };
  const leave = (): void => {
    close();
    options.onClose?.();
  };
  const head = el('header', {}, el('h2', {}, 'Inspector'), space.element, bar.element,
    button('✕', leave, { class: 'close', 'aria-label': 'Close the inspector' }));
  root.append(el('style', {}, styles), el('div', { class: options.into ? 'panel' : 'panel docked' }, head, ...bar.panels));
  host.addEventListener('keydown', (event) => {
    event.stopPropagation();
    if (event.key === 'Escape') leave();
  });
  (options.into ?? document.body).append(host);
  if (options.space !== undefined) space.offer([options.space]);
  show();
  return { element: host, close };
}

/** As the ARIA practices have it: one tab stop, arrows go from tab to tab. */
function tabBar(tabs: readonly Tab[], changed: () => void) {
  let at = 0;
  const element = el('div', { role: 'tablist', 'aria-label': 'What to look at' });
  const panels = tabs.map(({ id, element: content }) =>
    el('div', { role: 'tabpanel', id: `panel-${id}`, 'aria-labelledby': `tab-${id}`, class: 'content' }, content));
  const choose = (index: number): void => {
    at = (index + tabs.length) % tabs.length;
    heads.forEach((head, i) => {
      head.setAttribute('aria-selected', String(i === at));
      head.tabIndex = i === at ? 0 : -1;
    });
    panels.forEach((panel, i) => { panel.hidden = i !== at; });
    changed();
  };
  const heads = tabs.map(({ id, title }, i) =>
    button(title, () => choose(i), { role: 'tab', id: `tab-${id}`, 'aria-controls': `panel-${id}` }));
  element.append(...heads);
  element.addEventListener('keydown', ({ key }) => {
    const goals: Partial<Record<string, number>> = {
      ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1,
    };
    const goal = goals[key];
    if (goal === undefined) return;
    choose(goal);
    heads[at]?.focus();
  });
  choose(0);
  return {
    element, panels,
    get shown(): Tab {
      const tab = tabs[at];
      if (tab === undefined) throw new RangeError('One of the tabs is shown.');
      return tab;
    },
  };
}
