/* Search over names in all languages: a combobox with a list (WAI-ARIA 1.2). */
(() => {
  'use strict';

  const MOST = 8;

  /** Small letters without accents and apostrophes; Hangul stays composed. */
  function plain(text) {
    return text.normalize('NFD').replace(/[\u0300-\u036f'’‘ʼ`-]/g, '')
      .normalize('NFC').toLowerCase().trim();
  }

  /** Wire the search box to the marks. */
  function startSearch(marks) {
    const box = document.getElementById('search');
    const list = document.getElementById('search-list');
    const index = [...marks.values()].filter((mark) => mark.name).map((mark) => ({
      mark, texts: [mark.name, mark.label, mark.ko, mark.zh].filter(Boolean).map(plain),
    }));
    let at = -1;

    const options = () => [...list.children].filter((el) => el.dataset.key);

    function shut() {
      list.hidden = true;
      list.replaceChildren();
      at = -1;
      box.setAttribute('aria-expanded', 'false');
      box.removeAttribute('aria-activedescendant');
    }

    function point(next) {
      const all = options();
      if (!all.length) return;
      at = (next + all.length) % all.length;
      all.forEach((el, i) => el.setAttribute('aria-selected', String(i === at)));
      box.setAttribute('aria-activedescendant', all[at].id);
      all[at].scrollIntoView({ block: 'nearest' });
    }

    function take(el) {
      const key = el.dataset.key;
      box.value = '';
      shut();
      lodemap.select(key, { from: 'search' });
    }

    function option(mark, i) {
      const el = document.createElement('li');
      el.id = `found-${i}`;
      el.setAttribute('role', 'option');
      el.setAttribute('aria-selected', 'false');
      el.dataset.key = mark.key;
      const name = document.createElement('span');
      const shown = lodemap.nameOf(mark);
      name.textContent = shown.text;
      name.lang = shown.lang;
      el.append(name);
      lodemap.namesOf(mark).forEach(([lang, text]) => {
        if (!text || lang === shown.lang) return;
        const other = document.createElement('span');
        other.lang = lang;
        other.className = 'quiet';
        other.textContent = text;
        el.append(' ', other);
      });
      el.addEventListener('pointerdown', (event) => event.preventDefault());
      el.addEventListener('click', () => take(el));
      return el;
    }

    function look() {
      const wanted = plain(box.value);
      if (!wanted) { shut(); return; }
      const found = index
        .map(({ mark, texts }) => ({
          mark,
          score: Math.min(...texts.map((t) => {
            const where = t.indexOf(wanted);
            return where < 0 ? Infinity : where * 10 + t.length - wanted.length + mark.rank;
          })),
        }))
        .filter((hit) => hit.score < Infinity)
        .sort((a, b) => a.score - b.score);
      list.replaceChildren(...found.slice(0, MOST).map((hit, i) => option(hit.mark, i)));
      if (!found.length) {
        const none = document.createElement('li');
        none.className = 'quiet';
        none.textContent = lodemap.t('No name matches');
        list.append(none);
      }
      at = -1;
      list.hidden = false;
      box.setAttribute('aria-expanded', 'true');
      lodemap.announce(found.length === 1 ? lodemap.t('{0} name matches', 1)
        : lodemap.t('{0} names match', found.length));
    }

    box.addEventListener('input', look);
    box.addEventListener('focus', look);
    box.addEventListener('blur', shut);
    box.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowDown') point(at + 1);
      else if (event.key === 'ArrowUp') point(at - 1);
      else if (event.key === 'Enter' && options().length) take(options()[Math.max(at, 0)]);
      else if (event.key === 'Escape' && !list.hidden) shut();
      else return;
      event.preventDefault();
    });
  }

  lodemap.startSearch = startSearch;
})();
