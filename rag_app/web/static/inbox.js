// The inbox and approved answers: what is written there is sent, and the page drawn again.
(() => {
  'use strict';
  const { tell, failure, view, confirm, clicks, UNREACHABLE } = window.rag;
  const find = (selector) => document.querySelector(selector);
  const post = (path, values = {}) => fetch(path, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(values),
  }).catch(() => null);
  const send = async (button, path, values, words) => {
    const told = button.parentElement.querySelector('.told');
    button.disabled = true;
    const response = await post(path, values);
    button.disabled = false;
    const went = response && response.ok;
    told.textContent = went ? words : response ? await failure(response) : UNREACHABLE;
    return went;
  };
  const given = (key) => {
    const assigned = document.getElementById(`assigned-${key}`);
    const values = { note: document.getElementById(`note-${key}`).value };
    if (assigned) values.assigned = assigned.value;
    return values;
  };

  clicks['[data-keep-case]'] = (button) => {
    const key = button.dataset.keepCase;
    send(button, `/inbox/${key}`, given(key), 'Kept.');
  };
  clicks['[data-close-group]'] = async (button) => {
    const key = button.dataset.closeGroup;
    const reason = document.getElementById(`reason-${key}`).value;
    if (await send(button, `/inbox/${key}`, { ...given(key), reason }, 'Closed.')) tell('changed');
  };
  clicks['[data-reopen]'] = async (button) => {
    if (await send(button, `/inbox/${button.dataset.reopen}`, { reopen: true }, 'Open again.')) tell('changed');
  };

  // Whoever comes back to this page finds what they had opened and begun to write; elsewhere the page is drawn anew.
  document.addEventListener('visibilitychange', (event) => {
    const begun = find('.asked-group[open]') || find('dialog.reply-view[open]');
    if (location.pathname === '/inbox' && begun) event.stopImmediatePropagation();
  }, true);

  const opened = (address) => view(address, 'reply-view', 'Opening the answer');
  clicks['[data-approve]'] = (button) => opened(button.dataset.approve);
  clicks['.approve-answer'] = (button) => opened(`/turns/${button.id.split('-')[1]}/approve`);

  clicks['[data-save-approved]'] = async (button) => {
    const space = find('#approve-space');
    const sources = [...document.querySelectorAll('dialog[open] [data-source-document]:checked')].map((box) => ({
      document_id: box.dataset.sourceDocument, page: Number(box.dataset.sourcePage),
    }));
    const closes = find('#approve-closes');
    const values = {
      question: find('#approve-question').value, answer: find('#approve-answer').value,
      review: find('#approve-review').value, sources, space: space ? space.value : '',
      approved: button.dataset.saveApproved, group: closes && closes.checked ? button.dataset.group : '',
    };
    const went = await send(button, '/approved', values, 'Approved. The next question can be answered from it.');
    if (went && location.pathname === '/inbox') tell('changed');
    if (went) button.disabled = true;
  };

  clicks['[data-withdraw]'] = (button) => confirm({
    title: 'Withdraw this answer',
    words: `Withdraw the answer to \u201c${button.dataset.name}\u201d? Nothing is answered from it any more. Its versions are kept.`,
    yes: 'Withdraw', no: 'Keep it',
    act: () => post(`/approved/${button.dataset.withdraw}/withdraw`),
    done: () => tell('changed'),
  });
})();
