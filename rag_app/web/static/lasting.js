// What keeps a page right when something is slow or gone: it asks again until it is drawn, keeps what is sent until the
// server has taken it, says that the server does not answer and comes back with it, and shows questions to begin with
// once they are there.
(() => {
  'use strict';
  const { tell, make, clicks, box, fill, saveQuestion, sentQuestion } = window.rag;

  // ---- drawn at all: the first request is lost where the page was not ready for it, or its stream of answers was ----
  const AGAIN_MS = 4000;
  const MOST = 30; // times that a page asks to be drawn
  const ANEW = 'rag:anew'; // how often it was opened anew since it was drawn last; each time it waits twice as long
  const ANEW_MOST = 3;
  const drawn = () => document.querySelector('.bar');
  const untilDrawn = async (asked) => {
    if (drawn()) {
      sessionStorage.removeItem(ANEW);
      return;
    }
    const anew = Number(sessionStorage.getItem(ANEW));
    if (anew < ANEW_MOST && asked >= TIMES * 2 ** anew && await openAnew(held)) {
      sessionStorage.setItem(ANEW, anew + 1);
      return;
    }
    if (asked < MOST) {
      tell('resume', { undrawn: true });
      setTimeout(untilDrawn, AGAIN_MS, asked + 1);
    }
  };
  // Only once the page hears what it is told: a second request to be drawn would draw over a question sent meanwhile.
  window.addEventListener('rag:listening', () => setTimeout(untilDrawn, AGAIN_MS, 1), { once: true });

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
  // Gradio closes its stream of answers when nothing is under way, and what is sent in that moment is answered into the
  // closed one; sending anything opens the next. So a question that nothing is heard of is sent again by the same ticket,
  // by which the server takes it once, and a page that still hears nothing has lost its stream for good and opens anew.
  const STAGE = 'Reading your question';
  const LIMIT = 4000; // characters; the server refuses longer ones in words
  const UNHEARD = 'rag:unheard';
  const UNHEARD_MS = 120000; // after which a question that a page was opened anew with is not sent by itself
  const SEND_AGAIN_MS = 3000;
  const TIMES = 4; // that a question is sent by one page
  const SILENT = 7; // of those spans without a word of what becomes of it
  const pending = []; // questions sent that the server has said nothing of
  let tickets = crypto.getRandomValues(new Uint32Array(1))[0] * 2 ** 20; // this page's begin here, apart from all others
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
  // The server names each question that has arrived, and each that it takes or refuses, by its ticket.
  const marked = (mark) => {
    const told = document.querySelector(`#notice [data-${mark}]`);
    return { told, place: told ? pending.findIndex((one) => one.ticket === Number(told.dataset[mark])) : -1 };
  };
  const settle = () => {
    if (document.querySelector('#asking') && turnShown() !== before) unecho();
    const heard = marked('heard');
    if (heard.place >= 0) pending[heard.place].heard = true;
    const { told, place } = marked('ticket');
    if (place < 0) return;
    const [question] = pending.splice(place, 1);
    clearTimeout(question.timer);
    if (told.getAttribute('role') === 'alert') bringBack(question);
    else if (box() && box().value === question.text) fill('');
  };
  const openAnew = async (question) => {
    if (!await reached()) {
      if (!gone) look();
      return false;
    }
    if (question) {
      sessionStorage.setItem(UNHEARD, JSON.stringify({ ...question, sent: Date.now() }));
      pending.length = 0;
    }
    saveQuestion();
    location.reload();
    return true;
  };
  const attend = async (question) => {
    question.waited += 1;
    const lost = question.waited >= SILENT || (question.waited >= TIMES && !question.heard);
    if (lost && !question.anew && await openAnew(question)) return;
    if (question.waited >= SILENT) bringBack(question);
    else {
      if (question.waited < TIMES && !question.heard) tell('ask', { question: question.text, ticket: question.ticket });
      question.timer = setTimeout(attend, SEND_AGAIN_MS, question);
    }
  };
  const put = (question) => {
    pending.push(question);
    tell('ask', { question: question.text, ticket: question.ticket });
    question.timer = setTimeout(attend, SEND_AGAIN_MS, question);
  };
  const send = (text, typed) => {
    const [words, waiting] = [text.trim(), pending.filter((one) => !one.late)];
    if (waiting.length && (!words || waiting.some((one) => one.text.trim() === words))) return; // pressed twice
    tickets += 1;
    // What will be refused stays where it is: the one before it is not answered yet, or it is no question.
    const good = !waiting.length && !working() && words && text.length <= LIMIT;
    put({ text, typed, ticket: tickets, late: false, heard: false, anew: false, waited: 0 });
    const written = typed ? box().value : '';
    if (good && typed) fill(written.startsWith(text) ? written.slice(text.length) : written);
    if (good) echo(text);
  };
  // Before the page is drawn the server's side of it may not hear yet; the words stay in the box until then.
  let held = null; // the question that waits for that, also where the page is opened anew meanwhile
  const onceDrawn = (act) => {
    if (!drawn()) setTimeout(onceDrawn, 200, act);
    else {
      held = null;
      act();
    }
  };
  const sendTyped = () => {
    const text = box().value;
    if (!held && text.trim()) {
      tickets += 1;
      held = { text, typed: true, ticket: tickets, late: false };
    }
    onceDrawn(() => send(text, true));
  };
  const unheard = JSON.parse(sessionStorage.getItem(UNHEARD) || 'null');
  sessionStorage.removeItem(UNHEARD);
  if (unheard && Date.now() - unheard.sent < UNHEARD_MS) {
    held = unheard;
    onceDrawn(() => {
      sentQuestion(unheard.text);
      if (box() && box().value === unheard.text) fill('');
      put({ ...unheard, heard: false, anew: true, waited: 0 });
      if (!working()) echo(unheard.text);
    });
  }
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
    subtree: true, childList: true, attributes: true, attributeFilter: ['data-heard', 'data-ticket', 'data-turn'],
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

  // ---- whatever else is lost with the stream ------------------------------------------------------------------------
  // What the page asks to be drawn is asked for again, each time by a new ticket, so that the page shows when it is heard.
  const STILL_MS = 15000; // without a change while an answer is being made
  const drawnNow = () => (document.querySelector('#live [data-conversation]') || { dataset: {} }).dataset.conversation;
  const wanted = () => new URL(location.href).searchParams.get('c');
  let rung = 0; // times in a row without a change
  let changed = Date.now();
  const ring = () => {
    if (rung >= TIMES) openAnew();
    else {
      rung += 1;
      tickets += 1;
      tell('resume', { ticket: tickets });
    }
  };
  new MutationObserver((changes) => {
    const within = ({ target }) => target.nodeType === 1 && target.closest('#notice, #live, #turns');
    if (changes.some(within)) [rung, changed] = [0, Date.now()];
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
  setInterval(() => {
    const still = rung ? SEND_AGAIN_MS : STILL_MS;
    if (document.visibilityState === 'visible' && working() && Date.now() - changed > still) ring();
  }, SEND_AGAIN_MS);
  window.addEventListener('rag:resume', () => {
    const conversation = wanted();
    if (!conversation || !drawnNow()) return; // what is not drawn at all is asked for above
    setTimeout(() => { if (wanted() === conversation && drawnNow() !== conversation) ring(); }, SEND_AGAIN_MS);
  });
  for (const name of ['again', 'aside', 'restore']) {
    window.addEventListener(`rag:${name}`, () => {
      const turn = turnShown();
      setTimeout(() => { if (turnShown() === turn) ring(); }, SEND_AGAIN_MS);
    });
  }

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
