// What keeps a page right when something is slow or gone: it asks again until it is drawn, keeps what is sent until the
// server has taken it, says that the server does not answer and comes back with it, and shows questions to begin with
// once they are there.
(() => {
  'use strict';
  const { tell, make, clicks, box, fill, saveQuestion } = window.rag;

  // ---- drawn at all: the first request is lost where the page was not ready for it ------------------------------
  const AGAIN_MS = 4000;
  const untilDrawn = (tries) => {
    if (document.querySelector('.bar') || !tries) return;
    tell('resume');
    setTimeout(untilDrawn, AGAIN_MS, tries - 1);
  };
  setTimeout(untilDrawn, AGAIN_MS, 30);

  // ---- the server is gone ---------------------------------------------------------------------------------------
  const LOOK_MS = 4000; // between two looks while an answer is being made
  const BACK_MS = 1500; // between two looks while the server does not answer
  const GONE = 'The server does not answer. This page goes on by itself when it is back; your questions are kept.';
  const reached = async () => {
    try {
      return (await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(LOOK_MS) })).ok;
    } catch {
      return false;
    }
  };
  let gone = false;
  const say = () => {
    if (document.querySelector('#gone')) return;
    const notice = make('p', 'notice', GONE);
    notice.id = 'gone';
    notice.setAttribute('role', 'alert');
    const place = document.querySelector('#conversation > .form') || document.querySelector('.bar');
    if (place) place.before(notice);
  };
  const look = async () => {
    const there = await reached();
    if (!there && !gone && !(await reached())) { // a second time: one request may be lost
      gone = true;
      say();
    }
    if (there && gone) {
      saveQuestion();
      location.reload(); // what was cut off is stored as such, and the new server knows nothing of this page
      return;
    }
    setTimeout(look, gone ? BACK_MS : LOOK_MS);
  };
  const working = () => document.querySelector('#live [data-state="working"]');
  const watch = () => {
    if (document.visibilityState === 'visible' && (working() || gone)) look();
    else setTimeout(watch, LOOK_MS);
  };
  watch();
  document.addEventListener('keydown', (event) => {
    const asked = event.key === 'Enter' && event.target.closest && event.target.closest('#question');
    if (asked && !gone) reached().then((there) => { if (!there) { gone = true; say(); setTimeout(look, BACK_MS); } });
  });

  // ---- a question on its way ---------------------------------------------------------------------------------------
  // The box is cleared when a question is sent and belongs to the reader again at once. What was sent is shown with the
  // first stage until the server says the same; where it refuses the question or is silent, the words come back.
  const STAGE = 'Reading your question';
  const LIMIT = 4000; // characters; the server refuses longer ones in words
  const SILENT_MS = 20000;
  const pending = []; // questions sent that the server has said nothing of
  let tickets = 0;
  const turnShown = () => (document.querySelector('#live [data-turn]') || { dataset: {} }).dataset.turn || '';
  let before = ''; // the turn that was shown when the question shown below it was sent
  const echo = (question) => {
    const live = document.querySelector('#live');
    if (!live || document.body.classList.contains('editing')) return; // an edited one takes the place of another
    before = turnShown();
    const asking = make('div', 'asking');
    asking.id = 'asking';
    asking.append(make('p', 'question', question), make('p', 'stage', STAGE));
    live.before(asking);
    document.body.classList.add('asking');
    asking.scrollIntoView({ block: 'nearest' });
  };
  const unecho = () => {
    const asking = document.querySelector('#asking');
    if (asking) asking.remove();
    document.body.classList.remove('asking');
  };
  const bringBack = (question) => {
    unecho();
    question.late = true;
    if (question.typed && box() && !box().value) fill(question.text);
  };
  // The server names each question that it takes or refuses by its ticket.
  const settle = () => {
    if (document.querySelector('#asking') && turnShown() !== before) unecho();
    const told = document.querySelector('#notice [data-ticket]');
    const place = told ? pending.findIndex((one) => one.ticket === Number(told.dataset.ticket)) : -1;
    if (place < 0) return;
    const [question] = pending.splice(place, 1);
    clearTimeout(question.timer);
    if (told.getAttribute('role') === 'alert') bringBack(question);
    else if (box() && box().value === question.text) fill('');
  };
  const send = (text, typed) => {
    const [words, waiting] = [text.trim(), pending.filter((one) => !one.late)];
    if (waiting.length && (!words || waiting.some((one) => one.text.trim() === words))) return; // pressed twice
    tickets += 1;
    const question = { text, typed, ticket: tickets, late: false };
    question.timer = setTimeout(bringBack, SILENT_MS, question);
    // What will be refused stays where it is: the one before it is not answered yet, or it is no question.
    const good = !waiting.length && !working() && words && text.length <= LIMIT;
    pending.push(question);
    tell('ask', { question: text, ticket: question.ticket });
    if (good && typed) fill('');
    if (good) echo(text);
  };
  // Before the page is drawn the server's side of it may not hear yet; the words stay in the box until then.
  const sendTyped = () => {
    if (document.querySelector('.bar')) send(box().value, true);
    else setTimeout(sendTyped, 200);
  };
  window.rag.unsettled = () => pending.filter((one) => one.typed).map((one) => one.text).join(' ');
  document.addEventListener('keydown', (event) => {
    const enter = event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
    if (!enter || event.target !== box()) return;
    event.preventDefault();
    if (!event.repeat) sendTyped();
  }, true);
  clicks['#question .submit-button'] = sendTyped;
  clicks['[data-example]'] = (button) => send(button.textContent, false);
  new MutationObserver(settle).observe(document.body, {
    subtree: true, childList: true, attributes: true, attributeFilter: ['data-ticket', 'data-turn'],
  });

  // ---- what is being written stays where Gradio draws the box a second time, empty --------------------------------
  let written = { place: null, text: '' };
  document.addEventListener('input', ({ target }) => {
    if (target === box()) written = { place: target, text: target.value };
  }, true);
  new MutationObserver(() => {
    const place = box();
    if (!place || !written.place || place === written.place) return;
    const { text } = written;
    written = { place, text };
    if (text && !place.value) fill(text);
  }).observe(document.body, { subtree: true, childList: true });

  // ---- the focus stays where it was when the server draws anew what it stands in -----------------------------------
  const REDRAWN = '#history-list, #queue, #table, #evidence-panel';
  let focused = null;
  const named = (element) => element.tagName + [...element.attributes]
    .filter(({ name }) => name === 'id' || name === 'href' || name.startsWith('data-'))
    .map(({ name, value }) => `[${name}="${CSS.escape(value)}"]`).join('');
  document.addEventListener('focusin', ({ target }) => {
    const block = target.closest(REDRAWN);
    focused = block && { within: `#${block.id}`, by: named(target), tag: target.tagName, text: target.textContent };
  });
  document.addEventListener('pointerdown', () => { focused = null; }, true);
  new MutationObserver(() => {
    const block = focused && document.activeElement === document.body && document.querySelector(focused.within);
    if (!block) return;
    const again = block.querySelector(focused.by)
      || [...block.querySelectorAll(focused.tag)].find((one) => one.textContent === focused.text);
    if (again) again.focus({ preventScroll: true });
  }).observe(document.body, { subtree: true, childList: true });

  // ---- questions to begin with ------------------------------------------------------------------------------------
  let looks = 0;
  setInterval(() => {
    const pending = document.querySelector('.welcome[data-pending="true"]');
    if (pending && document.visibilityState === 'visible' && looks < 40) {
      looks += 1;
      tell('resume');
    }
  }, 3000);
})();
