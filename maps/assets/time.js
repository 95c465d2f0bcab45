/* Time: the page as of a day, with what was said later put aside. */
(() => {
  'use strict';

  const STEP_MS = 1600;
  const byId = (id) => document.getElementById(id);
  const still = window.matchMedia('(prefers-reduced-motion: reduce)');

  let days = [];
  let dated = [];
  let known = new Map();
  let at = null;
  let playing = 0;
  let first = '';

  /** The last day that a year, a month or a day may mean; empty for anything else. */
  function lastDay(text) {
    const [, y, m, d] = /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?$/.exec(text) || [];
    if (!y) return '';
    const end = d || (m ? new Date(Date.UTC(Number(y), Number(m), 0)).getUTCDate() : 31);
    return `${y}-${m || '12'}-${String(end).padStart(2, '0')}`;
  }

  /** The first day on which a claim, or else a source, of each reported mark was out. */
  function firstReports() {
    const found = new Map();
    lodemap.marks.forEach((mark) => {
      const card = byId(mark.card);
      if (!card || mark.role === 'hypothetical' || mark.family === 'tie') return;
      const said = [...card.querySelectorAll('.claim[data-date], .versus tr[data-date]')];
      const from = (said.length ? said : [...card.querySelectorAll('li[data-date]')])
        .map((el) => lastDay(el.dataset.date));
      if (from.length && from.every(Boolean)) found.set(mark.key, from.sort()[0]);
    });
    return found;
  }

  /** The day shown; null where the page shows all. */
  const day = () => (at === null ? null : days[at]);

  /** What came out on the day shown, in words. */
  function news() {
    const now = dated.filter(({ on }) => on === day());
    const texts = new Set(now.map(({ el }) => el.dataset.source).filter(Boolean));
    const claims = new Set(now.map(({ el }) => el.dataset.claim).filter(Boolean));
    const marks = [...new Set([...known].filter(([, on]) => on === day())
      .map(([key]) => lodemap.nameOf(lodemap.marks.get(key)).text))];
    const parts = [lodemap.t('{0} texts and {1} claims are new.', texts.size, claims.size)];
    if (marks.length) {
      parts.push(lodemap.t('First reported: {0}.', marks.slice(0, 3).join(', ')
        + (marks.length > 3 ? `, +${marks.length - 3}` : '')));
    }
    return parts.join(' ');
  }

  /** Draw a mark faintly while nobody has reported it, and say so. */
  function dim(mark) {
    mark.parts.forEach((part) => {
      const el = part.getElement?.();
      if (!el || el.classList.contains('is-unreported') === Boolean(mark.unreported)) return;
      el.classList.toggle('is-unreported', Boolean(mark.unreported));
      if (el.dataset.key) el.setAttribute('aria-label', lodemap.sayOf(mark));
    });
  }

  /** Say on a card that its mark was not yet reported. */
  function remark(card, later) {
    let line = card.querySelector('.not-yet');
    if (!later) { line?.remove(); return; }
    if (!line) {
      line = document.createElement('p');
      line.className = 'not-yet';
      card.querySelector('h3').after(line);
    }
    lodemap.tell(line, lodemap.t('Not yet reported on the day shown.'));
  }

  /** Put aside what is later than the day shown, and say what the day brought. */
  function show() {
    const now = day();
    dated.forEach(({ el, on }) => el.classList.toggle('is-later', Boolean(now && on > now)));
    let unknown = 0;
    known.forEach((on, key) => {
      const later = Boolean(now && on > now);
      if (later) unknown += 1;
      const mark = lodemap.marks.get(key);
      mark.unreported = later;
      dim(mark);
      remark(byId(mark.card), later);
    });
    document.documentElement.classList.toggle('is-dated', now !== null);
    const hidden = dated.filter(({ on }) => now && on > now);
    const later = new Set(hidden.map(({ el }) => el.dataset.claim || el.dataset.source));
    document.querySelectorAll('.time-note').forEach((note) => {
      note.hidden = !now;
      if (now) lodemap.tell(note.firstElementChild, lodemap.t('Shown as of {0}: {1} later claims and texts are put aside, {2} marks were not yet reported. The summary and the judgements are not dated so.',
        now, later.size, unknown));
    });
    const slider = byId('time-slider');
    slider.value = String(at ?? days.length);
    byId('time-day').textContent = now ?? lodemap.t('All dates');
    slider.setAttribute('aria-valuetext', byId('time-day').textContent);
    byId('time-news').textContent = now ? news() : '';
    const field = byId('as-of');
    if (field) {
      field.value = now ?? first;
      field.dispatchEvent(new Event('input'));
    }
    lodemap.changed();
  }

  /** Show the day of that number; past the last one, everything. */
  function go(number) {
    at = number >= days.length ? null : Math.max(0, number);
    show();
    return at !== null;
  }

  /** Stop stepping by itself. */
  function pause() {
    window.clearInterval(playing);
    playing = 0;
    const button = byId('time-play');
    button.setAttribute('aria-pressed', 'false');
  }

  /** Step by itself from here, or from the first day, until the last one. */
  function play() {
    if (playing) { pause(); return; }
    byId('time-play').setAttribute('aria-pressed', 'true');
    if (at === null) go(0);
    playing = window.setInterval(() => { if (!go(at + 1)) pause(); }, STEP_MS);
  }

  /** Wire the panel; without two dates there is nothing to step through. */
  function startTime() {
    dated = [...document.querySelectorAll('[data-date]')]
      .map((el) => ({ el, on: lastDay(el.dataset.date) })).filter(({ on }) => on);
    days = [...new Set(dated.map(({ on }) => on))].sort();
    const button = document.querySelector('[data-do="time"]');
    button.hidden = days.length < 2;
    if (days.length < 2) return;
    known = firstReports();
    first = byId('as-of')?.value ?? '';
    const slider = byId('time-slider');
    slider.max = String(days.length);
    byId('time-play').hidden = still.matches;
    slider.addEventListener('input', () => { pause(); go(Number(slider.value)); });
    byId('time-play').addEventListener('click', play);
    byId('time-back').addEventListener('click', () => { pause(); go((at ?? days.length) - 1); });
    byId('time-on').addEventListener('click', () => { pause(); go((at ?? days.length) + 1); });
    document.querySelectorAll('[data-all-dates]').forEach((el) =>
      el.addEventListener('click', () => { pause(); go(days.length); }));
    lodemap.whenSpoken(() => {
      if (at !== null) show();
      else byId('time-day').textContent = lodemap.t('All dates');
    });
    lodemap.whenPlaced(() => known.forEach((on, key) => dim(lodemap.marks.get(key))));
    lodemap.keep('time', {
      read: () => day() ?? '',
      write: (text) => {
        const wanted = text && /^\d{4}-\d\d-\d\d$/.test(text)
          ? days.findLastIndex((on) => on <= text) : -1;
        if (wanted < 0 ? at !== null : wanted !== at) go(wanted < 0 ? days.length : wanted);
        if (at !== null && byId('time').hidden) open(button);
      },
    });
    byId('time-day').textContent = lodemap.t('All dates');
  }

  /** Open the panel. */
  function open(button) {
    byId('time').hidden = false;
    button.setAttribute('aria-expanded', 'true');
  }

  /** Open or shut the panel; shutting it shows everything again. */
  function toggleTime(button) {
    const panel = byId('time');
    if (panel.hidden) {
      open(button);
      byId('time-slider').focus();
      return;
    }
    panel.hidden = true;
    button.setAttribute('aria-expanded', 'false');
    pause();
    go(days.length);
  }

  Object.assign(lodemap, { startTime, toggleTime });
})();
