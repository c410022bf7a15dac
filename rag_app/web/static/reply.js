// The reply to a customer: opened from an answer, written anew by the language model where there is one, copied and kept.
(() => {
  'use strict';
  const { failure, view, clicks, UNREACHABLE } = window.rag;
  const find = (selector) => document.querySelector(`dialog.reply-view ${selector}`);
  const post = (path, values) => fetch(path, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(values),
  }).catch(() => null);
  // A page that is not served over https has no clipboard object, but may copy what is selected.
  const copy = async (area) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(area.value).then(() => true, () => false);
    area.select();
    return document.execCommand('copy');
  };
  const notice = (words) => {
    find('.reply-notice').textContent = words;
    find('.reply-notice').hidden = !words;
  };

  clicks['.reply-answer'] = (button) => view(`/turns/${button.id.split('-')[1]}/reply`, 'reply-view', 'Making the reply');

  clicks['[data-write-reply]'] = async (button) => {
    const words = button.innerHTML;
    const text = find('#reply-text');
    button.disabled = true;
    button.textContent = 'Writing';
    text.setAttribute('aria-busy', 'true');
    const response = await post(`/turns/${button.dataset.writeReply}/reply`, {
      tone: find('#reply-tone').value, length: find('#reply-length').value,
    });
    button.disabled = false;
    button.innerHTML = words; // as the server made it
    text.removeAttribute('aria-busy');
    if (!response || !response.ok) return notice(response ? await failure(response) : UNREACHABLE);
    const made = await response.json();
    text.value = made.text;
    text.dataset.model = made.model;
    notice(made.notice);
    text.focus();
  };

  clicks['[data-copy-reply]'] = async (button) => {
    const text = find('#reply-text');
    const told = button.parentElement.querySelector('.told');
    if (!text.value.trim()) return void (told.textContent = 'There is nothing to copy.');
    const copied = await copy(text);
    const response = await post(`/turns/${button.dataset.copyReply}/replies`, { text: text.value, model: text.dataset.model });
    const kept = response && response.ok;
    const why = kept ? '' : ` It could not be kept with the question: ${response ? await failure(response) : UNREACHABLE}`;
    told.textContent = (copied ? `Copied${kept ? ', and kept with the question' : ''}.`
      : 'This browser does not let the page copy. Select the text and copy it yourself.') + why;
  };
})();
