// The spaces a question is asked in: what is chosen stands in the address, which Gradio sends with every event.
(() => {
  'use strict';
  const { clicks } = window.rag;
  const all = (row) => [...row.querySelectorAll('[data-ask-in]')];

  clicks['[data-ask-in]'] = (button) => {
    const row = button.closest('.ask-in');
    const pressed = (one) => one.getAttribute('aria-pressed') === 'true';
    const press = (one, on) => one.setAttribute('aria-pressed', String(on));
    const [everything, ...spaces] = all(row);
    if (button === everything) spaces.forEach((one) => press(one, false));
    else press(button, !pressed(button));
    const names = spaces.filter(pressed).map((one) => one.dataset.askIn);
    press(everything, !names.length);
    const url = new URL(location.href);
    if (names.length) url.searchParams.set('in', names.join('\n'));
    else url.searchParams.delete('in');
    history.replaceState(null, '', url);
  };
})();
