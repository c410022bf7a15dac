// Where the page is, the list of conversations, and what can be done with an answer. Foreign text is only ever set as text.
(() => {
  'use strict';
  const { tell, make, failure, dialog, view, confirm, clicks, startAtEnd, setOpener, UNREACHABLE } = window.rag;
  const find = (selector) => document.querySelector(selector);

  // ---- where the page is: its address names the conversation, and Gradio sends it with every event ---------
  const NEW = 'new';
  const shownNow = () => new URL(location.href).searchParams.get('c') || '';
  const address = (conversation, editing = '') => {
    const url = new URL(location.href);
    url.searchParams.set('c', conversation);
    if (editing) url.searchParams.set('edit', editing);
    else url.searchParams.delete('edit');
    return url;
  };
  const goTo = (conversation) => {
    if (shownNow() !== conversation) history.pushState(null, '', address(conversation));
    leaveEditing();
    document.body.classList.remove('evidence-open');
    fold();
    startAtEnd();
    tell('resume');
  };
  window.addEventListener('popstate', () => { startAtEnd(); tell('resume'); });

  // What the server drew last says where the page is now, and that the list may have changed.
  let drawn = '';
  const look = () => {
    const state = find('#live [data-conversation]');
    if (!state) return;
    const { conversation, turn = '', state: stage = '' } = state.dataset;
    const now = [conversation, turn, stage].join(' ');
    if (now === drawn) return;
    if (drawn.split(' ')[1] !== turn) leaveEditing();
    drawn = now;
    if (shownNow() !== conversation) history.replaceState(null, '', address(conversation));
    list();
  };
  // The whole page is watched: Gradio may draw a column a second time, and what was watched in it would be gone.
  new MutationObserver(look).observe(document.body, {
    subtree: true, childList: true, attributes: true, attributeFilter: ['data-conversation', 'data-turn', 'data-state'],
  });

  // ---- the list --------------------------------------------------------------------------------------------
  let shown = 0;
  const search = () => find('#history-search');
  const list = () => tell('listed', {
    holding: search() ? search().value : '', shown, zone: -new Date().getTimezoneOffset(),
  });
  let typing = 0;
  document.addEventListener('input', (event) => {
    if (event.target.id !== 'history-search') return;
    shown = 0;
    clearTimeout(typing);
    typing = setTimeout(list, 150);
  });
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && find('#history') && list());

  const unfolded = (open) => {
    document.body.classList.toggle('history-open', open);
    const button = find('[data-history]');
    if (button) button.setAttribute('aria-expanded', open);
  };
  const fold = () => unfolded(false);
  // What was hidden takes no focus before it is drawn.
  const focusSoon = (element, tries) => {
    element.focus();
    if (document.activeElement !== element && tries) setTimeout(focusSoon, 50, element, tries - 1);
  };
  const unfold = (selector = '#history .new') => {
    unfolded(true);
    focusSoon(find(selector), 20);
  };
  const narrow = () => getComputedStyle(find('#history')).position === 'fixed';

  // ---- a conversation's menu -------------------------------------------------------------------------------
  const menu = () => {
    let element = find('#row-menu');
    if (element) return element;
    element = make('div');
    element.id = 'row-menu';
    element.popover = 'auto';
    element.setAttribute('role', 'menu');
    element.addEventListener('keydown', (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const items = [...element.children];
      items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    });
    document.body.append(element);
    return element;
  };
  const openMenu = (button) => {
    const { menu: id, name } = button.dataset;
    const item = (tag, words, act) => {
      const element = make(tag, tag === 'button' ? '' : 'download', words);
      element.setAttribute('role', 'menuitem');
      element.addEventListener('click', () => { menu().hidePopover(); act(); });
      return element;
    };
    const takeAway = item('a', 'Export as Markdown', () => {});
    takeAway.href = `/conversations/${id}.md`;
    takeAway.setAttribute('download', '');
    const element = menu();
    element.setAttribute('aria-label', `More for ${name}`);
    element.replaceChildren(
      item('button', 'Rename', () => rename(id, name)), item('button', 'Share', () => window.rag.share(id, name)), takeAway,
      item('button', 'Delete', () => remove(id, name)),
    );
    element.showPopover();
    const at = button.getBoundingClientRect();
    element.style.left = `${Math.max(8, Math.min(at.left, innerWidth - element.offsetWidth - 8))}px`;
    element.style.top = `${Math.min(at.bottom + 4, innerHeight - element.offsetHeight - 8)}px`;
    element.firstElementChild.focus();
  };

  const rename = (id, name) => {
    const element = dialog('confirm');
    const form = make('form');
    const label = make('label', '', 'Name');
    const input = make('input', 'line');
    const told = make('p', 'told');
    const row = make('p', 'actions');
    const leave = make('button', 'quiet', 'Leave it');
    leave.type = 'button';
    leave.addEventListener('click', () => element.close());
    input.id = 'conversation-name';
    label.htmlFor = input.id;
    input.maxLength = 120;
    input.value = name.slice(0, 120);
    told.setAttribute('role', 'status');
    row.append(leave, make('button', 'primary', 'Rename'));
    form.append(make('h2', '', 'Rename this conversation'), label, input, told, row);
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const response = await send('PATCH', `/conversations/${id}`, { name: input.value });
      if (response && response.ok) {
        element.close();
        list();
      } else told.textContent = response ? await failure(response) : UNREACHABLE;
    });
    element.setAttribute('aria-label', 'Rename this conversation');
    element.replaceChildren(form);
    element.showModal();
    input.select();
  };
  const remove = (id, name) => confirm({
    title: 'Delete this conversation',
    words: `Delete \u201c${name}\u201d? Its questions, its answers and what you said of them go. The documents stay.`,
    yes: 'Delete',
    no: 'Keep it',
    act: () => fetch(`/conversations/${id}`, { method: 'DELETE' }),
    done: () => {
      if (id === shownNow()) goTo(NEW);
      else list();
      setOpener(narrow() ? find('[data-history]') : find('#history .new')); // what opened the menu is gone
    },
  });
  const send = (method, path, values) => fetch(path, {
    method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(values),
  }).catch(() => null);

  // ---- what can be done with an answer ----------------------------------------------------------------------
  const turnOf = (button) => button.id.split('-')[1];
  // Says in the answer's own row what became of a click.
  const say = (turn, words) => {
    const row = find(`#turn-${turn} .acts`);
    if (!row) return;
    let told = row.querySelector('.told');
    if (!told) {
      told = make('span', 'told');
      told.setAttribute('role', 'status');
      row.append(told);
    }
    told.textContent = words;
    clearTimeout(told.timer);
    told.timer = setTimeout(() => { told.textContent = ''; }, 6000);
  };

  const copy = async (button) => {
    const turn = turnOf(button);
    const response = await fetch(`/turns/${turn}/text`).catch(() => null);
    if (!response || !response.ok) return say(turn, response ? await failure(response) : UNREACHABLE);
    const text = await response.text();
    const sources = (text.match(/^\[\d+\] /gm) || []).length;
    say(turn, (await toClipboard(text)) ? `Copied${sources ? `, with ${sources} source${sources > 1 ? 's' : ''}` : ''}.`
      : 'This browser does not let the page copy. Select the answer and copy it yourself.');
  };
  // A page that is not served over https has no clipboard object, but may copy what is selected.
  const toClipboard = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
    const area = make('textarea', 'visually-hidden');
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    return copied;
  };

  const judge = async (button) => {
    const turn = turnOf(button);
    const verdict = button.classList.contains('chosen') ? '' : button.classList.contains('good') ? 'good' : 'poor';
    const response = await send('POST', `/turns/${turn}/feedback`, { verdict });
    if (!response || !response.ok) return say(turn, response ? await failure(response) : UNREACHABLE);
    for (const one of document.querySelectorAll(`#turn-${turn} .judge`)) {
      one.classList.toggle('chosen', Boolean(verdict) && one.classList.contains(verdict));
    }
    if (verdict === 'poor') return askReason(turn);
    say(turn, verdict ? 'Thank you.' : 'Taken back.');
  };
  const REASONS = [
    ['wrong_page', 'Wrong page'], ['document_missing', 'Document missing'], ['not_what_i_asked', 'Not what I asked'],
    ['out_of_date', 'Out of date'], ['other', 'Something else'],
  ];
  const askReason = (turn) => {
    const element = dialog('confirm');
    const form = make('form', 'reasons');
    const group = make('fieldset');
    group.append(make('legend', '', 'What was wrong?'));
    for (const [value, words] of REASONS) {
      const label = make('label', 'reason');
      const choice = make('input');
      Object.assign(choice, { type: 'radio', name: 'reason', value });
      label.append(choice, make('span', '', words));
      group.append(label);
    }
    const label = make('label', '', 'In your own words, if you like');
    const note = make('textarea', 'line');
    note.id = 'feedback-note';
    note.rows = 2;
    note.maxLength = 2000;
    label.htmlFor = note.id;
    const row = make('p', 'actions');
    const skip = make('button', 'quiet', 'Skip');
    skip.type = 'button';
    skip.addEventListener('click', () => { element.close(); say(turn, 'Thank you. Your verdict is kept.'); });
    row.append(skip, make('button', 'primary', 'Send'));
    form.append(group, label, note, row);
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const reason = new FormData(form).get('reason') || '';
      const response = await send('POST', `/turns/${turn}/feedback`, { verdict: 'poor', reason, note: note.value });
      element.close();
      if (response && response.ok) say(turn, 'Thank you. Your remark is kept with this question.');
      else say(turn, response ? await failure(response) : UNREACHABLE);
    });
    element.setAttribute('aria-label', 'What was wrong?');
    element.replaceChildren(form);
    element.showModal();
    form.querySelector('input').focus();
  };

  // ---- the last question, asked again or in other words ---------------------------------------------------------
  const box = () => find('#question textarea');
  const fill = (text) => {
    box().value = text;
    box().dispatchEvent(new Event('input', { bubbles: true }));
  };
  const edit = (button) => {
    const question = button.closest('.asked').querySelector('.question').textContent;
    history.replaceState(null, '', address(shownNow(), turnOf(button)));
    document.body.classList.add('editing');
    fill(question);
    box().focus();
  };
  // What was being written outlives a reload that the reader did not ask for.
  const KEPT = 'rag:question';
  const saveQuestion = () => {
    const words = (box() && box().value) || window.rag.unsettled();
    if (words) sessionStorage.setItem(KEPT, words);
  };
  // Gradio sometimes draws the box a second time, empty: the words are put back until the reader does anything there.
  const restoreQuestion = (tries) => {
    const text = sessionStorage.getItem(KEPT);
    if (!text) return;
    if (box() && !box().value) fill(text);
    if (tries) setTimeout(restoreQuestion, 200, tries - 1);
    else sessionStorage.removeItem(KEPT);
  };
  const sentQuestion = (text) => { // what was sent meanwhile is not put back
    if (sessionStorage.getItem(KEPT) === text) sessionStorage.removeItem(KEPT);
  };
  for (const kind of ['keydown', 'input', 'click']) {
    document.addEventListener(kind, (event) => {
      if (event.isTrusted && event.target.closest && event.target.closest('#question')) sessionStorage.removeItem(KEPT);
    }, true);
  }
  restoreQuestion(100);
  Object.assign(window.rag, { box, fill, saveQuestion, sentQuestion });
  const leaveEditing = () => {
    if (!document.body.classList.contains('editing')) return;
    document.body.classList.remove('editing');
    history.replaceState(null, '', address(shownNow()));
  };
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && document.body.classList.contains('editing') && event.target === box()) {
      leaveEditing();
      fill('');
    } else if (event.key === 'Escape' && document.body.classList.contains('history-open') && !find('dialog[open], :popover-open')) {
      fold();
      find('[data-history]').focus();
    } else if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && search()) {
      event.preventDefault();
      if (narrow()) unfold('#history-search');
      else search().focus();
    }
  });
  document.addEventListener('click', (event) => {
    const open = document.body.classList.contains('history-open');
    if (open && !event.target.closest('#history, [data-history], dialog, #row-menu')) fold();
  });

  Object.assign(clicks, {
    '[data-fresh]': () => { goTo(NEW); box().focus(); },
    '[data-menu]': openMenu,
    '[data-history]': () => unfold(),
    '[data-earlier]': (button) => tell('resume', { turns: Number(button.dataset.earlier) }),
    '[data-further]': (button) => { shown = Number(button.dataset.further) * 2; list(); },
    '.found-answer': (button) => view(`/turns/${turnOf(button)}/found`, 'found-view', 'Opening the table'),
    '[data-found]': async (button) => {
      const words = button.textContent;
      await view(button.dataset.found, 'found-view', 'Searching, and reading what was found');
      const chosen = [...document.querySelectorAll('dialog.found-view .order')].find((one) => one.textContent === words);
      if (chosen) chosen.focus();
    },
    '.copy-answer': copy,
    '.judge': judge,
    '[data-aside]': (button) => {
      const [turn, source] = button.dataset.aside.split('-');
      document.body.classList.remove('evidence-open');
      startAtEnd();
      tell('aside', { turn, source: Number(source) });
      box().focus({ preventScroll: true });
    },
    '.restore-answer': (button) => {
      tell('restore', { turn: turnOf(button), place: Number(button.id.split('-')[2]) });
      box().focus({ preventScroll: true });
    },
    '.again-answer': (button) => tell('again', { turn: turnOf(button) }),
    '.edit-question': edit,
  });
  // A link, so that it opens in another tab where the reader wants that; a plain click stays here.
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-open]');
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    setOpener(find('[data-history]'));
    goTo(link.dataset.open);
  });
})();
