// In a narrow window the list of steps covers the page: it closes once a step is chosen. Streamlit does so on phones only.
export default function () {
  const CLOSE = '[data-testid="stSidebarCollapseButton"] button[aria-expanded="true"]';
  const chosen = event => {
    if (window.innerWidth > 768 || !(event.target instanceof Element)) return;
    if (!event.target.closest('[data-testid="stSidebarNavLink"]')) return;
    // Later, so that the link is followed first, and a phone has closed the list by itself.
    setTimeout(() => document.querySelector(CLOSE)?.click(), 150);
  };
  document.addEventListener('click', chosen, true);
  return () => document.removeEventListener('click', chosen, true);
}
