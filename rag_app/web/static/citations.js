// What a citation mark shows: its quote while it is pointed at, and its page in the evidence once it was clicked.
(() => {
  'use strict';
  const { make, failure, onCited, UNREACHABLE } = window.rag;

  // ---- the quote, beside the mark -----------------------------------------------------------------------------
  const MARK = '#turns button.cite:not(.sources, .near)';
  const WAIT_MS = 120; // so that a pointer that only passes opens nothing
  const told = new WeakMap(); // what each mark's title said: page, support, quote
  let shown = null;
  let waiting = 0;
  const card = () => {
    let element = document.querySelector('#quote-card');
    if (!element) {
      element = make('div', 'quote-card');
      element.id = 'quote-card';
      element.popover = 'manual';
      element.setAttribute('role', 'tooltip');
      element.addEventListener('pointerleave', hide);
      document.body.append(element);
    }
    return element;
  };
  // The browser's own bubble would come up beside ours, so the title is taken off; the mark keeps its hidden words.
  const read = (mark) => {
    if (mark.title) {
      const [place, support, ...quote] = mark.title.split('\n');
      told.set(mark, { place, support, quote: quote.join('\n') });
      mark.removeAttribute('title');
    }
    return told.get(mark);
  };
  const show = (mark) => {
    const said = read(mark);
    if (!said || !mark.isConnected) return;
    const element = card();
    element.replaceChildren(make('p', 'place foreign', said.place));
    if (said.quote) element.append(make('p', 'quote foreign', said.quote));
    if (said.support) element.append(make('p', 'support', said.support));
    element.showPopover();
    const at = mark.getBoundingClientRect();
    const below = at.bottom + 8 + element.offsetHeight < innerHeight;
    element.style.left = `${Math.max(8, Math.min(at.left - 16, innerWidth - element.offsetWidth - 8))}px`;
    element.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - 6 - element.offsetHeight)}px`;
    shown = mark;
  };
  function hide() {
    clearTimeout(waiting);
    shown = null;
    const element = document.querySelector('#quote-card');
    if (element && element.matches(':popover-open')) element.hidePopover();
  }
  document.addEventListener('pointerover', (event) => {
    const mark = event.pointerType !== 'touch' && event.target.closest && event.target.closest(MARK);
    if (mark && mark !== shown) {
      read(mark);
      clearTimeout(waiting);
      waiting = setTimeout(show, WAIT_MS, mark);
    } else if (shown && !mark && !event.target.closest('#quote-card')) hide();
    else if (!mark) clearTimeout(waiting);
  });
  document.addEventListener('focusin', (event) => {
    const mark = event.target.closest(MARK);
    if (mark && mark.matches(':focus-visible')) show(mark);
    else hide();
  });
  document.addEventListener('keydown', (event) => event.key === 'Escape' && hide());
  document.addEventListener('click', hide, true);
  document.addEventListener('scroll', hide, { capture: true, passive: true });

  // ---- the page, in the evidence ------------------------------------------------------------------------------
  onCited(async (source) => {
    const button = source.querySelector('[data-view]');
    if (!button || source.querySelector('.peek')) return;
    const peek = make('button', 'peek');
    peek.type = 'button';
    peek.dataset.view = button.dataset.view;
    peek.append(make('span', 'waiting', 'Opening the page'));
    source.querySelector('.actions').before(peek);
    const response = await fetch(button.dataset.view, { headers: { accept: 'text/html' } }).catch(() => null);
    if (!response || !response.ok) {
      peek.replaceWith(make('p', 'notice', response ? await failure(response) : UNREACHABLE));
      return;
    }
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    const sheet = page.querySelector('.sheet');
    const picture = sheet.querySelector('img');
    const part = make('span', 'sheet');
    part.append(...sheet.childNodes);
    peek.setAttribute('aria-label', `${picture.alt}, larger`);
    picture.alt = '';
    peek.replaceChildren(part);
    // The part of the page that holds the passage; all boxes where they fit.
    const box = part.querySelector('rect');
    const svg = part.querySelector('svg');
    if (box) {
      const top = box.y.baseVal.value / svg.viewBox.baseVal.height;
      peek.scrollTop = Math.max(0, top * part.offsetHeight - peek.clientHeight / 4);
    }
    source.scrollIntoView({ block: 'nearest' });
  });
})();
