// What keeps a page right when something is slow or gone: it asks again until it is drawn, says that the server does
// not answer and comes back with it, and shows questions to begin with once they are there.
(() => {
  'use strict';
  const { tell, make, saveQuestion } = window.rag;

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

  // ---- the first stage, said before the server does ----------------------------------------------------------------
  const STAGE = 'Reading your question';
  const questions = () => [...document.querySelectorAll('#turns .question')];
  const begin = (question) => {
    const live = document.querySelector('#live');
    if (!live || document.querySelector('#asking') || working() || question.length > 4000) return;
    const asking = make('div', 'asking');
    asking.id = 'asking';
    asking.append(make('p', 'question', question), make('p', 'stage', STAGE));
    const before = questions().length;
    const state = live.textContent + live.innerHTML;
    live.before(asking);
    document.body.classList.add('asking');
    asking.scrollIntoView({ block: 'nearest' });
    // It goes when the server has said anything at all: the question itself, or why it is not asked.
    const seen = new MutationObserver(() => {
      if (questions().length !== before || working() || live.textContent + live.innerHTML !== state) end();
    });
    const end = () => {
      seen.disconnect();
      asking.remove();
      document.body.classList.remove('asking');
    };
    seen.observe(document.querySelector('#conversation'), { subtree: true, childList: true, attributes: true });
    setTimeout(end, 20000);
  };
  const typed = () => {
    const box = document.querySelector('#question textarea');
    const free = document.querySelector('#question .submit-button');
    if (box && free && box.value.trim() && !document.body.classList.contains('editing')) begin(box.value);
  };
  document.addEventListener('keydown', (event) => {
    const enter = event.key === 'Enter' && !event.shiftKey && !event.isComposing;
    if (enter && event.target.closest && event.target.closest('#question')) typed();
  }, true);
  document.addEventListener('click', (event) => {
    const button = event.target.closest('#question .submit-button, .example');
    if (button && button.matches('.example')) begin(button.textContent);
    else if (button) typed();
  }, true);

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
