// The library page: what of the list is shown, files tried again, receipts, and folders of the server. Foreign text is only ever set as text.
(() => {
  'use strict';
  const { tell, make, failure, dialog, view, confirm, clicks, sent, add, choose, setOpener, UNREACHABLE } = window.rag;

  // ---- what is shown stands in the address, which Gradio sends with every event ------------------------------
  const show = (changes) => {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries({ page: '', ...changes })) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    history.replaceState(null, '', url);
    tell('changed');
  };
  const toTable = () => document.querySelector('#table').scrollIntoView({ block: 'start' });
  clicks['[data-sort]'] = ({ dataset }) => {
    // By the address, not by the table: what was asked for earlier may have been drawn over what was asked for later.
    const { searchParams } = new URL(location.href);
    const again = (searchParams.get('sort') || 'title') === dataset.sort;
    show({ sort: dataset.sort, down: again && searchParams.get('down') !== '1' ? '1' : '' });
  };
  clicks['button[data-page]'] = ({ dataset }) => { show({ page: dataset.page }); toTable(); };
  clicks['[data-look]'] = ({ dataset }) => show({ state: dataset.look });
  clicks['[data-show-all]'] = () => {
    touched = true;
    search().value = '';
    show({ q: '', space: '', state: '' });
  };
  const search = () => document.querySelector('#library-search');
  let typing = 0;
  let touched = false; // by the reader: from then on the field is theirs
  document.addEventListener('input', (event) => {
    if (event.target.id !== 'library-search') return;
    touched = true;
    clearTimeout(typing);
    typing = setTimeout(() => show({ q: event.target.value.trim() }), 150);
  });
  document.addEventListener('change', (event) => {
    const { target } = event;
    if (target.matches('[data-filter]')) show({ [target.dataset.filter]: target.value });
    if (target.matches('[data-go-to]')) {
      const page = Math.min(Math.max(Math.round(Number(target.value)) || 1, 1), Number(target.max));
      view(`${target.dataset.goTo}?page=${page}`);
    }
  });
  // Gradio draws the field some time after this, and sometimes a second time, empty; other pages have none.
  const fill = (tries) => {
    const wanted = new URL(location.href).searchParams.get('q');
    if (touched || !wanted || !tries) return;
    if (search() && !search().value) search().value = wanted;
    setTimeout(fill, 100, tries - 1);
  };
  fill(600);

  // ---- files -----------------------------------------------------------------------------------------------
  clicks['[data-piece]'] = (button) => view(button.dataset.piece, 'piece', 'Looking');
  // The tab that sent a file still has it; the server kept nothing of a file that it did not take.
  clicks['[data-retry]'] = async (button) => {
    const file = sent.get(Number(button.dataset.retry));
    if (file) return add([file]);
    button.disabled = true;
    const response = await fetch(`/jobs/${button.dataset.retry}/retry`, { method: 'POST' }).catch(() => null);
    button.disabled = false;
    if (response && response.ok) return tell('changed');
    if (response && response.status === 410) return choose();
    told(response ? await failure(response) : UNREACHABLE);
  };
  const told = (words) => {
    const element = dialog('receipt');
    element.setAttribute('aria-label', words);
    element.replaceChildren(make('p', 'foreign', words), row());
    element.showModal();
  };
  const row = (...buttons) => {
    const line = make('p', 'actions');
    const close = make('button', 'quiet', 'Close');
    close.dataset.close = '';
    line.append(...buttons, close);
    return line;
  };

  // ---- deleting, with a receipt ----------------------------------------------------------------------------
  clicks['[data-delete]'] = (button) => confirm({
    title: 'Delete this document',
    words: button.dataset.sentence,
    yes: 'Delete',
    no: 'Keep it',
    act: () => fetch(button.dataset.delete, { method: 'DELETE' }),
    done: async (response) => {
      tell('changed');
      setOpener(search()); // the button that was pressed goes with its row
      const { receipt, sentence } = await response.json();
      const element = dialog('receipt');
      const save = make('a', 'quiet', 'Save receipt');
      const address = URL.createObjectURL(new Blob([JSON.stringify(receipt, null, 2) + '\n'], { type: 'application/json' }));
      save.href = address;
      save.download = `deleted-${receipt.document_id.slice(0, 8)}.json`;
      element.addEventListener('close', () => URL.revokeObjectURL(address), { once: true });
      const heading = make('h2', '', 'Deleted');
      heading.tabIndex = -1;
      element.setAttribute('aria-label', 'Deleted');
      element.replaceChildren(heading, make('p', 'foreign', sentence), row(save));
      element.showModal();
      heading.focus();
    },
  });

  // ---- folders of the server -------------------------------------------------------------------------------
  clicks['[data-import]'] = async (button) => {
    const line = button.closest('.piece').querySelector('[role="status"]');
    button.disabled = true;
    const body = JSON.stringify({ folder: button.dataset.import });
    const response = await fetch('/imports', { method: 'POST', body }).catch(() => null);
    button.disabled = false;
    if (!response || !response.ok) {
      line.textContent = response ? await failure(response) : UNREACHABLE;
      return;
    }
    button.closest('dialog').close();
    tell('changed');
  };

  // ---- quality and settings --------------------------------------------------------------------------------
  clicks['[data-check]'] = (button) => { button.disabled = true; tell('check'); };
  clicks['[data-copy]'] = async (button) => {
    const done = await navigator.clipboard.writeText(button.dataset.copy).then(() => true, () => false);
    button.textContent = done ? 'Copied' : 'Select and copy it';
  };
})();
