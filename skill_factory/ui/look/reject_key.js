// R rejects the open trace. Streamlit keeps R for running a page again, so a button of its own can't have it.
export default function () {
  const typing = element =>
    element instanceof HTMLElement &&
    (element.isContentEditable || element.matches('textarea, select, input:not([type=radio]):not([type=checkbox])'));
  const pressed = event => {
    if (event.key !== 'r' || event.ctrlKey || event.metaKey || event.altKey || typing(event.composedPath()[0])) return;
    const button = document.querySelector('.st-key-review-reject button');
    if (!button) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    button.click();
  };
  window.addEventListener('keydown', pressed, true);
  return () => window.removeEventListener('keydown', pressed, true);
}
