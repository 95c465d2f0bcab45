/* Runs first: says so if the page is cut short, or if its scripts did not start. */
(() => {
  'use strict';

  const root = document.documentElement;
  root.classList.add('has-js');

  /** Stand a notice above everything, whatever else of the page is there. */
  function say(texts) {
    const notice = document.createElement('div');
    notice.id = 'damaged';
    notice.setAttribute('role', 'alert');
    notice.style.cssText = 'position:sticky;top:0;z-index:4000;padding:.75rem 1rem;'
      + 'background:#fbeadf;color:#8f2d04;font:600 1rem/1.4 sans-serif';
    ['en', 'ko', 'zh'].forEach((lang, i) => {
      const line = document.createElement('p');
      line.lang = lang;
      line.textContent = texts[i];
      line.style.margin = '0';
      notice.append(line);
    });
    document.body.prepend(notice);
  }

  document.addEventListener('DOMContentLoaded', () => {
    if (!document.getElementById('page-end')) say(TEXTS.cut);
    else if (root.dataset.started === undefined) say(TEXTS.idle);
  });
})();
