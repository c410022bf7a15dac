// Sharing a conversation by a link: made, shown again, copied, renewed and taken back. Foreign text is only ever set as text.
(() => {
  'use strict';
  const { make, dialog, failure, UNREACHABLE } = window.rag;
  const WHO = 'Whoever opens it can read the questions and answers asked so far, but nothing that comes from documents '
    + 'they may not read themselves. Later questions stay yours until you renew the link.';

  const ask = (method, id) => fetch(`/conversations/${id}/share`, { method }).catch(() => null);
  const copy = async (field) => {
    field.select();
    if (navigator.clipboard) return navigator.clipboard.writeText(field.value).then(() => true, () => false);
    return document.execCommand('copy'); // where the page is not served over https
  };
  const button = (className, words, act) => {
    const element = make('button', className, words);
    element.type = 'button';
    element.addEventListener('click', act);
    return element;
  };

  const open = async (id, name) => {
    const element = dialog('confirm');
    const told = make('p', 'told-good');
    told.setAttribute('role', 'status');
    const title = make('h2', '', 'Share this conversation');
    const about = make('p', 'foreign', `\u201c${name}\u201d`);
    const act = async (method, words) => {
      const response = await ask(method, id);
      if (!response || !response.ok) {
        told.textContent = response ? await failure(response) : UNREACHABLE;
        return;
      }
      draw((await response.json()).address);
      told.textContent = words;
    };
    const draw = (address) => {
      const row = make('p', 'actions');
      const parts = [title, about];
      row.append(button('quiet', 'Close', () => element.close()));
      if (address) {
        const label = make('label', '', 'Link');
        const field = make('input', 'line');
        field.id = label.htmlFor = 'share-link';
        field.readOnly = true;
        field.value = new URL(address, location.href).href;
        field.addEventListener('focus', () => field.select());
        row.prepend(
          button('quiet', 'Stop sharing', () => act('DELETE', 'The link leads nowhere any more.')),
          button('quiet', 'Renew', () => act('POST', 'The link now shows what was asked so far.')),
        );
        row.append(button('primary', 'Copy link', async () => {
          told.textContent = (await copy(field)) ? 'Copied.' : 'This browser does not let the page copy. Copy the link yourself.';
        }));
        parts.push(label, field, make('p', 'share-about', WHO));
      } else {
        parts.push(make('p', 'share-about', `Make a link to it. ${WHO}`));
        row.append(button('primary', 'Make a link', () => act('POST', 'The link is made.')));
      }
      element.replaceChildren(...parts, told, row);
      (element.querySelector('#share-link') || element.querySelector('button.primary')).focus();
    };
    element.setAttribute('aria-label', 'Share this conversation');
    const response = await ask('GET', id);
    const address = response && response.ok ? (await response.json()).address : '';
    draw(address);
    if (!response || !response.ok) told.textContent = response ? await failure(response) : UNREACHABLE;
    if (!element.open) element.showModal();
    (element.querySelector('#share-link') || element.querySelector('button.primary')).focus();
  };
  window.rag.share = open;
})();
