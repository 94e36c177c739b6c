'use strict';
// Light or dark: as the system has it until the reader chooses. A file has no server to remember
// the choice, and some browsers give files no storage: then it lasts as long as the page.
const theme = (() => {
  const root = document.documentElement;
  const button = document.getElementById('theme');
  const system = matchMedia('(prefers-color-scheme: dark)');
  const listeners = [];
  let chosen = null;
  try { chosen = localStorage.getItem('vla-accel-theme'); } catch (error) { chosen = null; }

  const now = () => chosen || (system.matches ? 'dark' : 'light');
  const apply = (name) => {
    root.dataset.theme = name;
    button.textContent = name === 'dark' ? 'Light' : 'Dark';
    button.setAttribute('aria-pressed', String(name === 'dark'));
    listeners.forEach((listener) => listener(name));
  };
  button.addEventListener('click', () => {
    chosen = now() === 'dark' ? 'light' : 'dark';
    try { localStorage.setItem('vla-accel-theme', chosen); } catch (error) { /* not kept */ }
    apply(chosen);
  });
  system.addEventListener('change', () => apply(now()));
  // Paper is white.
  addEventListener('beforeprint', () => apply('light'));
  addEventListener('afterprint', () => apply(now()));
  apply(now());
  return { get name() { return root.dataset.theme; }, onChange: (f) => listeners.push(f) };
})();
