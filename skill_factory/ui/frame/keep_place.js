// A reload shows each page where one was: Streamlit draws it bit by bit, always from its top.
export default function () {
  const PATIENCE = 20000;  // ms after which what isn't there yet isn't waited for
  const main = () => document.querySelector('[data-testid="stMain"]');
  const key = () => 'skill-factory-place ' + location.pathname;
  const root = document.documentElement;
  let restoring = 0;

  // A browser may refuse to keep anything, inside a page of somebody else's above all: then nothing is kept.
  const kept = () => { try { return Number(sessionStorage.getItem(key())); } catch { return 0; } };
  const keep = top => { try { sessionStorage.setItem(key(), String(Math.round(top))); } catch { /* see above */ } };
  const note = event => { if (!restoring && event.target === main()) keep(event.target.scrollTop); };
  const leave = () => { clearInterval(restoring); restoring = 0; };

  const reloaded = performance.getEntriesByType('navigation')[0]?.type === 'reload';
  const wanted = kept();
  if (reloaded && wanted > 0 && !root.dataset.placed) {
    const begun = performance.now();
    restoring = setInterval(() => {
      const page = main();
      if (page) page.scrollTop = wanted;
      // What is drawn later above may move it once more, so it stays for a moment.
      if (performance.now() - begun > PATIENCE || settled(page)) leave();
    }, 100);
  }
  root.dataset.placed = 'yes';

  let since = 0;
  function settled(page) {
    const there = page && Math.abs(page.scrollTop - wanted) < 2;
    since = there ? since || performance.now() : 0;
    return there && performance.now() - since > 1500;
  }

  const OWN = ['wheel', 'touchstart', 'keydown', 'pointerdown'];  // whoever moves by themselves isn't moved
  document.addEventListener('scroll', note, true);
  OWN.forEach(kind => document.addEventListener(kind, leave, true));
  return () => {
    leave();
    document.removeEventListener('scroll', note, true);
    OWN.forEach(kind => document.removeEventListener(kind, leave, true));
  };
}
