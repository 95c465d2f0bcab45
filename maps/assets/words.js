/* Languages: the page's own texts change without a reload; data keep their language. */
(() => {
  'use strict';

  const LANGUAGES = ['en', 'ko', 'zh'];
  const table = JSON.parse(document.getElementById('words').textContent);
  const byText = new Map(Object.entries(table).map(([id, texts]) => [texts[0], { id, texts }]));
  const hooks = [];
  const root = document.documentElement;
  const first = LANGUAGES.includes(root.lang) ? root.lang : 'en';
  const title = document.title;
  const warning = title.slice(0, -(document.querySelector('h1')?.textContent.length ?? 0));
  let spoken = first;

  const place = () => LANGUAGES.indexOf(spoken);
  const fill = (pattern, values) => pattern.replace(/\{(\d)\}/g, (_, n) => values[n] ?? '');

  /** A text in the reader's language, given in English; unknown ones stay English. */
  function t(english, ...values) {
    return fill(byText.get(english)?.texts[place()] ?? english, values);
  }

  /** A text of the page as an element whose language changes; what is put in stays. */
  function said(english, ...values) {
    const el = document.createElement('span');
    el.dataset.t = byText.get(english)?.id ?? '';
    el.append(...values.map((value, i) => {
      const slot = document.createElement('span');
      slot.dataset.s = String(i);
      if (!value.dataset) slot.lang = '';
      slot.append(value);
      return slot;
    }));
    if (el.dataset.t) retell(el);
    else Object.assign(el, { textContent: fill(english, values), lang: 'en' });
    return el;
  }

  /** Number patterns of a fixed phrase, as `recognised` in words/__init__.py; else null. */
  function phrase(text) {
    if (byText.has(text)) return [text];
    const numbers = text.match(/\d[\d,]*(?:\.\d+)?/g) || [];
    let at = 0;
    const pattern = text.replace(/\d[\d,]*(?:\.\d+)?/g, () => { at += 1; return `{${at - 1}}`; });
    return numbers.length && byText.has(pattern) ? [pattern, ...numbers] : null;
  }

  /** Put an attribute of an element in a language that changes. */
  function ta(el, name, english, ...values) {
    el.dataset.ta = `${name}:${byText.get(english)?.id ?? ''}`;
    el.dataset.aa = JSON.stringify(values);
    relabel(el);
  }

  /** An element with a text in it, which is never read as markup. */
  function make(tag, text = '', attributes = {}) {
    const el = document.createElement(tag);
    el.append(text);
    Object.entries(attributes).forEach(([name, value]) => el.setAttribute(name, value));
    return el;
  }

  /** Put a text into an element that is the page's own from end to end. */
  function tell(el, text) {
    el.textContent = text;
    el.lang = spoken;
  }

  /** Put a text anew: what it was filled with is kept and moved to its new place. */
  function retell(el) {
    const texts = table[el.dataset.t];
    if (!texts) return;
    const slots = [...el.children].filter((child) => child.dataset.s !== undefined);
    if (slots.length) {
      el.replaceChildren(...texts[place()].split(/\{(\d)\}/).map((part, i) => (i % 2
        ? slots.find((slot) => slot.dataset.s === part) : part)));
    } else {
      el.textContent = fill(texts[place()], (el.dataset.a ?? '').split('|'));
    }
    el.lang = spoken;
  }

  /** Put the spoken attributes of an element anew. */
  function relabel(el) {
    const values = JSON.parse(el.dataset.aa ?? '[]');
    el.dataset.ta.split(' ').forEach((pair) => {
      const [name, id] = pair.split(':');
      if (table[id]) el.setAttribute(name, fill(table[id][place()], values));
    });
    el.lang = spoken;
  }

  /** Show a name in the reader's language, or in English where it has no other form. */
  function rename(el) {
    el.dataset.en ??= el.textContent;
    const own = spoken !== 'en' && el.dataset[spoken];
    el.textContent = own || el.dataset.en;
    el.lang = own ? spoken : 'l' in el.dataset ? '' : 'en';
  }

  /** The other forms of a name, all but the one that is shown above the line. */
  function showOthers(line) {
    const name = line.previousElementSibling.querySelector('[data-n]');
    [...line.children].forEach((el) => { el.hidden = el.lang === (name?.lang ?? 'en'); });
  }

  /** Names of a mark with their languages; that of an analyst's name nobody stated. */
  function namesOf(mark) {
    return [[mark.family === 'added' ? '' : 'en', mark.name], ['ko', mark.ko], ['zh', mark.zh]];
  }

  /** Whether several marks share a name in the reader's language. */
  function isShared(name) {
    return [...lodemap.marks.values()].filter((mark) => mark[spoken] === name).length > 1;
  }

  /** Name and language of a mark, for the reader; English where it tells marks apart. */
  function nameOf(mark) {
    const own = spoken !== 'en' && mark[spoken] && !isShared(mark[spoken]) && mark[spoken];
    if (own) return { text: own, lang: spoken };
    return { text: mark.name, lang: namesOf(mark)[0][0] };
  }

  /** What a screen reader says of a mark. */
  function sayOf(mark) {
    const said = plainSay(mark);
    return mark.unreported ? t('{0}; not yet reported', said) : said;
  }

  /** The same whatever the day. */
  function plainSay(mark) {
    if (spoken === 'en') return mark.say;
    const row = document.querySelector(`#legend input[value="${CSS.escape(mark.mark)}"]`);
    const kind = row?.parentElement.querySelector('[data-label]')?.textContent ?? '';
    const { text } = nameOf(mark);
    return mark.radius ? t('{0}, {1}, within {2}', text, kind, lodemap.length(mark.radius))
      : t('{0}, {1}', text, kind);
  }

  /** Show the page in a language. */
  function speak(language) {
    if (language === spoken) return;
    spoken = language;
    root.lang = language;
    document.querySelectorAll('[data-t]').forEach(retell);
    document.querySelectorAll('[data-ta]').forEach(relabel);
    document.querySelectorAll('[data-n]').forEach(rename);
    document.querySelectorAll('.others').forEach(showOthers);
    document.querySelectorAll('a[data-mark]').forEach((link) => {
      const mark = lodemap.marks.get(link.dataset.mark);
      if (!mark || (link.dataset.en ?? link.textContent) !== mark.name) return;
      link.dataset.en = mark.name;
      const { text, lang } = nameOf(mark);
      Object.assign(link, { textContent: text, lang });
    });
    document.querySelectorAll('[data-lang]').forEach((button) => {
      button.setAttribute('aria-pressed', String(button.dataset.lang === language));
    });
    const heading = document.querySelector('h1 [data-n]');
    document.title = heading ? `${warning}${heading.textContent}` : title;
    hooks.forEach((hook) => hook(language));
    lodemap.changed();
  }

  /** Wire the switch; called once all marks are known. */
  function startWords() {
    document.addEventListener('click', (event) => {
      const button = event.target.closest('[data-lang]');
      if (button) speak(button.dataset.lang);
    });
    lodemap.keep('lang', {
      read: () => (spoken === first ? '' : spoken),
      write: (text) => speak(LANGUAGES.includes(text) ? text : first),
    });
  }

  window.lodemap = Object.assign(window.lodemap || {}, {
    t, said, phrase, ta, tell, make, rename, showOthers, namesOf, nameOf, sayOf, speak, startWords,
    language: () => spoken, whenSpoken: (hook) => hooks.push(hook),
  });
})();
