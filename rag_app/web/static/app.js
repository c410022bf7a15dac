// Clicks, the page viewer, uploads. What people see is made by the server; nothing here writes foreign text as HTML.
(() => {
  'use strict';
  document.documentElement.lang = 'en';

  const tell = (name, detail = {}) => window.dispatchEvent(new CustomEvent('rag:' + name, { detail }));
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  };
  const failure = async (response) => {
    try {
      return (await response.json()).error.message;
    } catch {
      return 'The server did not answer as expected. Reload the page and try again.';
    }
  };

  // The page's own listener exists from here on: draw what is stored.
  window.addEventListener('rag:listening', () => tell('resume'), { once: true });

  // ---- the reader stays at the end while it grows, and elsewhere is left alone ---------------------------
  let atEnd = true;
  let questions = 0;
  let moved = 0; // when the reader last moved the page; growing text scrolls too, and must not count
  const follow = () => {
    const place = document.querySelector('#conversation');
    for (const name of ['wheel', 'touchmove', 'keydown', 'pointerdown']) {
      place.addEventListener(name, () => { moved = Date.now(); }, { passive: true });
    }
    place.addEventListener('scroll', () => {
      if (Date.now() - moved < 1000) atEnd = place.scrollHeight - place.scrollTop - place.clientHeight < 120;
    }, { passive: true });
    // To the end, but no further than the newest question: a long answer is read from its beginning.
    const toEnd = () => {
      if (!atEnd) return;
      const newest = [...place.querySelectorAll('.question')].pop();
      const end = place.scrollHeight - place.clientHeight;
      const top = newest ? place.scrollTop + newest.getBoundingClientRect().top - place.getBoundingClientRect().top - 16 : end;
      place.scrollTop = Math.min(end, top);
    };
    // Gradio names each message by its source, tags and all; what is inside names it better.
    const unname = () => {
      for (const message of place.querySelectorAll('[data-testid="user"][aria-label], [data-testid="bot"][aria-label]')) {
        message.removeAttribute('aria-label');
      }
    };
    new MutationObserver(() => {
      unname();
      const asked = place.querySelectorAll('.question').length;
      if (asked > questions) atEnd = true; // whoever asks wants to see the answer
      questions = asked;
      toEnd();
      requestAnimationFrame(toEnd);
      // The whole column, not the list of turns: that one is not there before the first question.
    }).observe(place, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['aria-label'] });
    unname();
  };
  // Gradio draws the column some time after the page's listener; other pages have none.
  const followSoon = (tries) => {
    if (document.querySelector('#conversation')) follow();
    else if (tries) setTimeout(followSoon, 100, tries - 1);
  };
  window.addEventListener('rag:listening', () => followSoon(100), { once: true });

  // ---- dialogs -------------------------------------------------------------------------------------------
  let opener = null;
  const dialog = (className) => {
    let element = document.querySelector('dialog.' + className);
    if (!element) {
      element = make('dialog', className);
      element.addEventListener('close', () => opener && opener.isConnected && opener.focus());
      element.addEventListener('click', (event) => event.target === element && element.close());
      document.body.append(element);
    }
    return element;
  };

  const view = async (address) => {
    const element = dialog('page-view');
    if (!element.open) {
      element.replaceChildren(make('p', 'waiting', 'Opening the page'));
      element.showModal();
    }
    const turning = document.activeElement && document.activeElement.className;
    const response = await fetch(address, { headers: { accept: 'text/html' } }).catch(() => null);
    if (!response || !response.ok) {
      const close = make('button', 'quiet', 'Close');
      close.dataset.close = '';
      element.replaceChildren(make('p', 'notice', response ? await failure(response) : 'The server cannot be reached.'), close);
      close.focus();
      return;
    }
    element.innerHTML = await response.text(); // made and escaped by render.py's one escape
    const same = turning && /previous|next/.test(turning) && element.querySelector('.' + turning.split(' ').join('.') + ':not([disabled])');
    (same || element.querySelector('h2')).focus({ preventScroll: true });
    const box = element.querySelector('rect');
    const desk = element.querySelector('.desk');
    if (box && desk) {
      const gap = box.getBoundingClientRect().top - desk.getBoundingClientRect().top;
      desk.scrollTop += gap - desk.clientHeight / 3;
    }
  };

  const confirmDelete = (button) => {
    const element = dialog('confirm');
    const head = make('h2', '', 'Delete this document');
    const words = make('p', 'foreign', button.dataset.sentence);
    const row = make('p', 'actions');
    const no = make('button', 'quiet', 'Keep it');
    const yes = make('button', 'danger', 'Delete');
    no.addEventListener('click', () => element.close());
    yes.addEventListener('click', async () => {
      yes.disabled = true;
      const response = await fetch(button.dataset.delete, { method: 'DELETE' }).catch(() => null);
      if (response && response.ok) element.close();
      else words.textContent = response ? await failure(response) : 'The server cannot be reached.';
      tell('changed');
    });
    row.append(no, yes);
    element.replaceChildren(head, words, row);
    element.showModal();
    no.focus();
  };

  // ---- clicks --------------------------------------------------------------------------------------------
  const cite = (button) => {
    const [, turn, source] = button.id.split('-');
    document.body.classList.add('evidence-open');
    tell('cite', { turn, source: source === 'all' ? null : Number(source) });
    // The panel is redrawn by the server; its heading takes the focus when it stands.
    const panel = document.querySelector('#evidence');
    const seen = new MutationObserver(() => {
      const chosen = panel.querySelector('.chosen') || panel.querySelector('h2');
      if (panel.querySelector(`[data-turn="${turn}"]`) && chosen) {
        seen.disconnect();
        reveal(panel, chosen);
      }
    });
    seen.observe(panel, { subtree: true, childList: true, attributes: true });
    setTimeout(() => seen.disconnect(), 3000);
  };
  const reveal = (panel, chosen) => {
    const heading = panel.querySelector('h2');
    if (heading) heading.focus({ preventScroll: true });
    chosen.scrollIntoView({ block: 'nearest' });
  };

  const clicks = {
    '.cite': cite,
    '[data-view]': (button) => view(button.dataset.view),
    '[data-close]': (button) => button.closest('dialog').close(),
    '[data-close-evidence]': () => closeEvidence(),
    '[data-example]': (button) => tell('example', { n: Number(button.dataset.example) }),
    '[data-fresh]': () => tell('fresh'),
    '[data-delete]': confirmDelete,
    '[data-cancel]': async (button) => {
      button.disabled = true;
      await fetch(`/jobs/${button.dataset.cancel}/cancel`, { method: 'POST' }).catch(() => null);
      tell('changed');
    },
    '[data-choose]': () => picker().click(),
  };
  const closeEvidence = () => {
    document.body.classList.remove('evidence-open');
    if (opener && opener.isConnected) opener.focus();
  };
  document.addEventListener('click', (event) => {
    for (const [selector, act] of Object.entries(clicks)) {
      const button = event.target.closest(selector);
      if (!button) continue;
      if (!button.closest('dialog')) opener = button;
      act(button);
      return;
    }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && document.body.classList.contains('evidence-open')) closeEvidence();
    const desk = event.target.closest && event.target.closest('.page-view');
    const turn = { ArrowLeft: '.previous', ArrowRight: '.next' }[event.key];
    if (desk && turn) {
      const button = desk.querySelector(turn + ':not([disabled])');
      if (button) view(button.dataset.view);
    }
  });
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && tell('changed'));

  // ---- uploads: three at a time, each with its own line --------------------------------------------------
  const AT_ONCE = 3;
  const waiting = [];
  let sending = 0;
  let input = null;
  const picker = () => {
    if (!input) {
      input = make('input', 'visually-hidden');
      input.type = 'file';
      input.multiple = true;
      input.id = 'file-picker';
      input.tabIndex = -1;
      input.setAttribute('aria-label', 'PDF files to add');
      input.addEventListener('change', () => {
        add(input.files);
        input.value = '';
      });
      document.body.append(input);
    }
    return input;
  };
  const list = () => {
    let element = document.querySelector('#sending');
    if (!element) {
      element = make('ul', 'sending');
      element.id = 'sending';
      element.setAttribute('aria-label', 'Files being sent');
      const place = document.querySelector('#queue') || document.querySelector('#welcome') || document.body;
      place.before(element);
    }
    return element;
  };
  const add = (files) => {
    for (const file of files) {
      const line = make('li', 'job');
      line.append(make('span', 'name foreign', file.name), make('span', 'state', 'waiting to be sent'));
      list().append(line);
      waiting.push({ file, line, replace: null });
    }
    next();
  };
  const next = () => {
    while (sending < AT_ONCE && waiting.length) send(waiting.shift());
    if (!sending && !waiting.length && !document.querySelector('#sending li') && location.pathname === '/') {
      location.assign('/library');
    }
  };
  const buttons = (line, ...pairs) => {
    line.querySelectorAll('button').forEach((button) => button.remove());
    for (const [words, act] of pairs) {
      const button = make('button', 'quiet', words);
      button.type = 'button';
      button.addEventListener('click', act);
      line.append(button);
    }
  };
  const send = (upload) => {
    sending += 1;
    const { file, line } = upload;
    const state = line.querySelector('.state');
    const request = new XMLHttpRequest();
    const done = (words) => {
      sending -= 1;
      if (words === '') line.remove();
      else {
        state.textContent = words;
        line.classList.add('is-refused');
        buttons(line, ['Dismiss', () => { line.remove(); next(); }]);
      }
      tell('changed');
      next();
    };
    request.upload.onprogress = (event) => {
      const of = event.lengthComputable ? ` of ${size(event.total)}` : '';
      state.textContent = `sending, ${size(event.loaded)}${of}`;
    };
    request.onload = () => {
      let body = {};
      try { body = JSON.parse(request.responseText); } catch { /* said below */ }
      if (request.status === 202) return done('');
      if (request.status === 409 && body.existing) return choose(upload, body.existing);
      done((body.error && body.error.message) || 'The server did not take this file. Try again.');
    };
    request.onerror = () => done('The server cannot be reached. Try again.');
    request.onabort = () => done('Not sent.');
    const query = upload.replace === null ? '' : `?replace=${upload.replace}`;
    request.open('POST', '/documents' + query);
    const form = new FormData();
    form.append('file', file, file.name);
    request.send(form);
    buttons(line, ['Cancel', () => request.abort()]);
  };
  const choose = (upload, existing) => {
    sending -= 1;
    const { line } = upload;
    line.querySelector('.state').textContent =
      `A file of this name is already here (${existing.title}), with other content. Replace it, or keep both?`;
    const again = (replace) => () => {
      upload.replace = replace;
      waiting.push(upload);
      next();
    };
    buttons(line, ['Replace', again(true)], ['Keep both', again(false)], ['Leave it', () => { line.remove(); next(); }]);
    next();
  };
  const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

  const carries = (event) => event.dataTransfer && Array.from(event.dataTransfer.types).includes('Files');
  window.addEventListener('dragover', (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    document.body.classList.add('dropping');
  }, true);
  window.addEventListener('dragleave', (event) => event.relatedTarget === null && document.body.classList.remove('dropping'), true);
  window.addEventListener('drop', (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    event.stopPropagation();
    document.body.classList.remove('dropping');
    add(event.dataTransfer.files);
  }, true);
})();
