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
  const UNREACHABLE = 'The server cannot be reached. Try again.';
  const failure = async (response) => {
    try {
      return (await response.json()).error.message;
    } catch {
      return 'The server did not answer as expected. Reload the page and try again.';
    }
  };

  let cited = () => {}; // what follows when the evidence shows the source of a mark; citations.js says
  const onCited = (act) => { cited = act; };
  const rag = { tell, make, failure, onCited, UNREACHABLE };
  window.rag = rag; // for conversations.js

  // The page's own listener exists from here on: draw what is stored.
  window.addEventListener('rag:listening', () => tell('resume'), { once: true });

  // ---- the reader stays at the end while it grows, and elsewhere is left alone ---------------------------
  let atEnd = true;
  let questions = 0;
  rag.startAtEnd = () => { atEnd = true; };
  let moved = 0; // when the reader last moved the page; growing text scrolls too, and must not count
  // Gradio draws the column some time after the page, and sometimes a second time; other pages have none.
  const column = () => document.querySelector('#conversation');
  const follow = () => {
    for (const name of ['wheel', 'touchmove', 'keydown', 'pointerdown']) {
      document.addEventListener(name, (event) => {
        if (event.target.closest && event.target.closest('#conversation')) moved = Date.now();
      }, { capture: true, passive: true });
    }
    document.addEventListener('scroll', ({ target }) => {
      const own = target === column() && Date.now() - moved < 1000;
      if (own) atEnd = target.scrollHeight - target.scrollTop - target.clientHeight < 120;
    }, { capture: true, passive: true });
    // To the end, but no further than the newest question: a long answer is read from its beginning.
    const toEnd = () => {
      const place = column();
      if (!atEnd || !place) return;
      const newest = [...place.querySelectorAll('.question')].pop();
      const end = place.scrollHeight - place.clientHeight;
      const top = newest ? place.scrollTop + newest.getBoundingClientRect().top - place.getBoundingClientRect().top - 16 : end;
      place.scrollTop = Math.min(end, top);
    };
    // Gradio names each message by its source, tags and all; what is inside names it better.
    const unname = () => {
      for (const message of document.querySelectorAll('[data-testid="user"][aria-label], [data-testid="bot"][aria-label]')) {
        message.removeAttribute('aria-label');
      }
    };
    new MutationObserver((changes) => {
      const place = column();
      if (!place || !changes.some(({ target }) => place.contains(target) || target.contains(place))) return;
      unname();
      const asked = place.querySelectorAll('.question').length;
      if (asked > questions) atEnd = true; // whoever asks wants to see the answer
      questions = asked;
      toEnd();
      requestAnimationFrame(toEnd);
    }).observe(document.body, {
      subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['aria-label'],
    });
  };
  follow();

  // ---- dialogs -------------------------------------------------------------------------------------------
  let opener = null;
  const dialog = (className) => {
    let element = document.querySelector('dialog.' + className);
    if (!element) {
      element = make('dialog', className);
      element.addEventListener('close', () => {
        if (className === 'page-view') zoom = 0;
        if (opener && opener.isConnected && !document.querySelector('dialog[open]')) opener.focus();
      });
      element.addEventListener('click', (event) => event.target === element && element.close());
      document.body.append(element);
    }
    return element;
  };

  const ZOOMS = [100, 150, 200]; // per cent of the dialog's width
  let zoom = 0;
  const zoomTo = (level) => {
    zoom = Math.min(Math.max(level, 0), ZOOMS.length - 1);
    const sheet = document.querySelector('dialog.page-view .sheet');
    if (!sheet) return;
    const desk = sheet.closest('.desk');
    const middle = (desk.scrollTop + desk.clientHeight / 2) / desk.scrollHeight;
    sheet.style.width = `min(${ZOOMS[zoom]}%, ${8.2 * ZOOMS[zoom]}px)`;
    sheet.style.maxWidth = 'none';
    const picture = sheet.querySelector('img');
    if (zoom && picture) picture.src = picture.src.replace(/w=\d+$/, 'w=1800');
    desk.scrollTop = middle * desk.scrollHeight - desk.clientHeight / 2;
    document.querySelector('[data-zoom="-1"]').disabled = zoom === 0;
    document.querySelector('[data-zoom="1"]').disabled = zoom === ZOOMS.length - 1;
  };

  const view = async (address, className = 'page-view', words = 'Opening the page') => {
    const element = dialog(className);
    if (!element.open) {
      element.replaceChildren(make('p', 'waiting', words));
      element.setAttribute('aria-label', words);
      element.showModal();
    }
    const turning = document.activeElement && document.activeElement.className;
    element.setAttribute('aria-busy', 'true');
    const response = await fetch(address, { headers: { accept: 'text/html' } }).catch(() => null);
    element.removeAttribute('aria-busy');
    if (!response || !response.ok) {
      const close = make('button', 'quiet', 'Close');
      close.dataset.close = '';
      element.replaceChildren(make('p', 'notice', response ? await failure(response) : UNREACHABLE), close);
      close.focus();
      return;
    }
    element.innerHTML = await response.text(); // made and escaped by render.py's one escape
    element.setAttribute('aria-label', element.querySelector('h2').textContent);
    const same = turning && /previous|next/.test(turning) && element.querySelector('.' + turning.split(' ').join('.') + ':not([disabled])');
    (same || element.querySelector('h2')).focus({ preventScroll: true });
    if (zoom && className === 'page-view') zoomTo(zoom);
    const box = element.querySelector('rect');
    const desk = element.querySelector('.desk');
    if (box && desk) {
      const gap = box.getBoundingClientRect().top - desk.getBoundingClientRect().top;
      desk.scrollTop += gap - desk.clientHeight / 3;
    }
  };

  // Asks before something is done that cannot be undone; `act` answers with a response, `done` follows where it went well.
  const confirm = ({ title, words, yes, no, act, done }) => {
    const element = dialog('confirm');
    const sentence = make('p', 'foreign', words);
    const row = make('p', 'actions');
    const stay = make('button', 'quiet', no);
    const go = make('button', 'danger', yes);
    stay.addEventListener('click', () => element.close());
    go.addEventListener('click', async () => {
      go.disabled = true;
      const response = await act().catch(() => null);
      if (response && response.ok) {
        element.close();
        done(response);
      } else sentence.textContent = response ? await failure(response) : UNREACHABLE;
    });
    row.append(stay, go);
    element.setAttribute('aria-label', title);
    element.replaceChildren(make('h2', '', title), sentence, row);
    element.showModal();
    stay.focus();
  };

  // ---- clicks --------------------------------------------------------------------------------------------
  const cite = (button) => {
    const [, turn, source] = button.id.split('-');
    document.body.classList.add('evidence-open');
    tell('cite', { turn, source: source === 'all' ? null : Number(source) });
    // The panel is redrawn by the server; its heading takes the focus when it stands.
    const panel = document.querySelector('#evidence');
    const place = source === 'all' ? 'h2' : `.chosen[data-source="${source}"]`;
    const settled = () => {
      const chosen = panel.querySelector(`[data-turn="${turn}"] ${place}`);
      if (!chosen) return;
      seen.disconnect();
      reveal(panel, chosen);
      if (source !== 'all') cited(chosen);
    };
    const seen = new MutationObserver(settled);
    seen.observe(panel, { subtree: true, childList: true, attributes: true });
    setTimeout(() => seen.disconnect(), 10000);
    if (source !== 'all' || !panel.querySelector('.chosen')) settled(); // then nothing may be redrawn
  };
  const reveal = (panel, chosen) => {
    const heading = panel.querySelector('h2');
    if (heading) heading.focus({ preventScroll: true });
    chosen.scrollIntoView({ block: 'nearest' });
  };

  const clicks = {
    '.cite': cite,
    '[data-view]': (button) => view(button.dataset.view),
    '[data-zoom]': (button) => zoomTo(zoom + Number(button.dataset.zoom)),
    '[data-close]': (button) => button.closest('dialog').close(),
    '[data-close-evidence]': () => closeEvidence(),
    '[data-cancel]': async (button) => {
      button.disabled = true;
      await fetch(`/jobs/${button.dataset.cancel}/cancel`, { method: 'POST' }).catch(() => null);
      tell('changed');
    },
    '[data-choose]': () => picker().click(),
  };
  const sent = new Map(); // the file behind each job this tab has begun, to be sent again
  Object.assign(rag, { dialog, view, confirm, clicks, sent, add: (files) => add(files), choose: () => picker().click(), setOpener: (button) => { opener = button; } });
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
    const within = event.target.closest && event.target.closest('dialog');
    if (event.key === 'Escape' && !within && document.body.classList.contains('evidence-open')) closeEvidence();
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
      input.setAttribute('aria-label', 'PDF or text files to add');
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
    const into = document.querySelector('#add-to'); // where there are several spaces to choose from
    for (const file of files) {
      const line = make('li', 'job');
      line.append(make('span', 'name foreign', file.name), make('span', 'state', 'waiting to be sent'));
      list().append(line);
      waiting.push({ file, line, replace: null, space: into ? into.value : '' });
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
      if (request.status === 202) {
        rag.sent.set(body.job.id, file);
        return done('');
      }
      if (request.status === 409 && body.existing) return decide(upload, body.existing);
      done((body.error && body.error.message) || 'The server did not take this file. Try again.');
    };
    request.onerror = () => done('The server cannot be reached. Try again.');
    request.onabort = () => done('Not sent.');
    const query = new URLSearchParams();
    if (upload.replace !== null) query.set('replace', upload.replace);
    if (upload.space) query.set('space', upload.space);
    request.open('POST', `/documents?${query}`);
    const form = new FormData();
    form.append('file', file, file.name);
    request.send(form);
    buttons(line, ['Cancel', () => request.abort()]);
  };
  const decide = (upload, existing) => {
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
