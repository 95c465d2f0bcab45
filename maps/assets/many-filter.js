/* Filters of an added layer, of marks or on a canvas: by range, category and text, without reading the page anew. */
(() => {
  'use strict';

  const BOXES = 12;
  const LATER_MS = 150;
  const LUMP = 8192;
  const { make, said } = lodemap;
  const { counted } = lodemap.packed;

  /** Small letters without accents and apostrophes; as in search.js. */
  function plain(text) {
    return text.normalize('NFD').replace(/[\u0300-\u036f'’‘ʼ`-]/g, '').normalize('NFC').toLowerCase();
  }

  /** The name of a column in words. */
  function words(name) {
    const text = name.replaceAll('_', ' ').trim();
    return text.slice(0, 1).toUpperCase() + text.slice(1);
  }

  /** The columns of a layer as a form; each field narrows what is shown. */
  function filterMany(layer) {
    const form = make('form', '', { class: 'many-filter' });
    const tests = new Map();
    const clear = make('button', said('Show all'), { type: 'reset', class: 'text-button' });
    clear.hidden = true;
    let turn = 0;
    let timer = 0;

    /** Note a test of a column, or that it has none, and apply all a little later. */
    function set(column, test) {
      if (test) tests.set(column, test);
      else tests.delete(column);
      clear.hidden = !tests.size;
      clearTimeout(timer);
      timer = setTimeout(apply, LATER_MS);
    }

    async function apply() {
      turn += 1;
      const mine = turn;
      const pass = tests.size ? new Uint8Array(layer.shape.placed).fill(1) : null;
      for (const [column, test] of tests) {
        await test(await layer.column(column), pass);
        if (mine !== turn) return;
      }
      layer.filter = pass;
      await layer.choose();
      const left = pass ? pass.reduce((sum, one) => sum + one, 0) : layer.shape.placed;
      lodemap.announce(lodemap.t('{0} of {1} features pass the filter', counted(left),
        counted(layer.shape.placed)));
    }

    const order = [...layer.data.columns].sort((a, b) =>
      (b.name === 'uncertainty_m') - (a.name === 'uncertainty_m'));
    order.forEach((column) => {
      const field = { number: range, category, text: contains }[column.type];
      form.append(field(layer, column, (test) => set(column.name, test)));
    });
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('reset', () => {
      [...tests.keys()].forEach((column) => set(column, null));
      clear.hidden = true;
    });
    form.append(clear);
    return form;
  }

  /** A group of fields under the name of a column. */
  function group(name) {
    const set = make('fieldset');
    set.append(name === 'uncertainty_m' ? make('legend', said('Uncertainty (m)'))
      : make('legend', words(name), { lang: '' }));
    return set;
  }

  /** Two fields for the least and the greatest number. */
  function range(layer, column, set) {
    const box = group(column.name);
    const fields = [said('from'), said('to')].map((word, i) => {
      const label = make('label', word);
      const field = make('input', '', { type: 'number', step: 'any', placeholder: String(i ? column.most : column.least) });
      label.append(' ', field);
      box.append(label);
      return field;
    });
    box.classList.add('is-range');
    box.addEventListener('input', () => {
      const [low, high] = fields.map((field) => field.value);
      if (low === '' && high === '') { set(null); return; }
      const [from, to] = [low === '' ? -Infinity : Number(low), high === '' ? Infinity : Number(high)];
      set(({ values }, pass) => lodemap.packed.sliced(pass.length, (start, end) => {
        for (let i = start; i < end; i += 1) if (!(values[i] >= from && values[i] <= to)) pass[i] = 0;
      }));
    });
    return box;
  }

  /** A box for each text of a few; a text to look for where there are more. */
  function category(layer, column, set) {
    if (column.labels.length > BOXES) return contains(layer, column, set);
    const box = group(column.name);
    const boxes = [...column.labels, null].map((text, i) => {
      const label = make('label');
      const tick = make('input', '', { type: 'checkbox' });
      tick.checked = tick.defaultChecked = true;
      label.append(tick, text === null ? said('no value')
        : make('span', `${text} (${counted(column.counts[i])})`, { lang: '' }));
      box.append(label);
      return tick;
    });
    const whole = column.counts.reduce((a, b) => a + b, 0) === layer.total;
    if (whole) boxes[boxes.length - 1].closest('label').remove();
    box.addEventListener('input', () => {
      const on = [boxes[boxes.length - 1], ...boxes.slice(0, -1)].map((tick) => tick.checked);
      if (on.every(Boolean)) { set(null); return; }
      set(({ codes }, pass) => lodemap.packed.sliced(pass.length, (start, end) => {
        for (let i = start; i < end; i += 1) if (!on[codes[i]]) pass[i] = 0;
      }));
    });
    return box;
  }

  /** A text that the column's text has to hold. */
  function contains(layer, column, set) {
    const box = group(column.name);
    const label = make('label', said('holds'));
    const field = make('input', '', { type: 'text', autocomplete: 'off', spellcheck: 'false' });
    label.append(' ', field);
    box.append(label);
    box.addEventListener('input', () => {
      const wanted = plain(field.value.trim());
      if (!wanted) { set(null); return; }
      set(async (read, pass) => {
        if (read.codes) {
          const on = [false, ...column.labels.map((text) => plain(text).includes(wanted))];
          pass.forEach((_, i) => { if (!on[read.codes[i]]) pass[i] = 0; });
          return;
        }
        const found = new Uint8Array(pass.length);
        await eachMatch(layer, column.name, wanted, (i) => { if (i < found.length) found[i] = 1; });
        for (let i = 0; i < pass.length; i += 1) if (!found[i]) pass[i] = 0;
      });
    });
    return box;
  }

  /** Texts of a column, made plain in lumps; kept for the next time. */
  async function lumps(layer, name) {
    const column = await layer.column(name);
    if (!column || layer.data.tiles) return []; // what is not in view is not here to be read
    if (!column.lumps) {
      const found = [];
      for (let from = 0; from < layer.total; from += LUMP) {
        const to = Math.min(layer.total, from + LUMP);
        const texts = column.lump ? column.lump(from, to)
          : Array.from({ length: to - from }, (_, i) => column.at(from + i)).join('\0');
        found.push(`\0${plain(texts)}`);
        const pause = lodemap.packed.breathe();
        if (pause) await pause;
      }
      column.lumps = found;
    }
    return column.lumps;
  }

  /** Call `act(feature)` for each whose text holds what is wanted; true from it ends. */
  async function eachMatch(layer, name, wanted, act) {
    const all = await lumps(layer, name);
    for (let k = 0; k < all.length; k += 1) {
      const lump = all[k];
      let at = lump.indexOf(wanted);
      let row = k * LUMP - 1;
      let seen = -1;
      while (at >= 0) {
        for (let zero = lump.indexOf('\0', seen + 1); zero >= 0 && zero <= at; zero = lump.indexOf('\0', seen + 1)) {
          seen = zero;
          row += 1;
        }
        if (act(row, lump, at)) return;
        const next = lump.indexOf('\0', at);
        at = next < 0 ? -1 : lump.indexOf(wanted, next);
      }
      const pause = lodemap.packed.breathe();
      if (pause) await pause;
    }
  }

  Object.assign(lodemap, { filterMany, eachMatch, plainText: plain, words });
})();
