// A reload shows each page where one was: Streamlit draws it bit by bit, always from its top.
export default function () {
  const PATIENCE = 60000;  // ms after which what isn't there yet isn't waited for
  const STILL = 1500;  // ms that a place has to hold: what is drawn later above would move it
  const OWN = ['wheel', 'touchstart', 'keydown', 'pointerdown'];  // whoever moves by themselves isn't moved
  const root = document.documentElement;
  const main = () => document.querySelector('[data-testid="stMain"]');
  const key = () => 'skill-factory-place ' + location.pathname;
  // A browser may refuse to keep anything, inside a page of somebody else's above all: then nothing is kept.
  const kept = () => { try { return Number(sessionStorage.getItem(key())); } catch { return 0; } };
  const keep = top => { try { sessionStorage.setItem(key(), String(Math.round(top))); } catch { /* see above */ } };

  // Streamlit ends this and begins it again with each run of the page, so what is done stands on the page itself.
  const reloaded = performance.getEntriesByType('navigation')[0]?.type === 'reload';
  const wanted = reloaded && !root.dataset.placed ? kept() : 0;
  let since = 0;
  const place = () => {
    const page = main();
    if (!page) return;
    if (Math.abs(page.scrollTop - wanted) > 1) { page.scrollTop = wanted; since = performance.now(); }
    if (performance.now() > PATIENCE || (since && performance.now() - since > STILL)) done();
  };
  let timer = wanted > 0 ? setInterval(place, 100) : 0;
  const done = () => { clearInterval(timer); timer = 0; root.dataset.placed = 'yes'; };
  const note = event => { if (!timer && event.target === main()) keep(event.target.scrollTop); };
  if (!timer) done();

  document.addEventListener('scroll', note, true);
  OWN.forEach(kind => document.addEventListener(kind, done, true));
  return () => {
    clearInterval(timer);
    document.removeEventListener('scroll', note, true);
    OWN.forEach(kind => document.removeEventListener(kind, done, true));
  };
}
