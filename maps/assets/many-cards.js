/* Cards, names and hints of the features of large layers: made when they are wanted. */
(() => {
  'use strict';

  const MOST = 8;
  const RING = 72;
  const DEGREE_M = 111_320;
  const KNOWN = ['name', 'name_ko', 'name_zh', 'kind', 'status', 'note', 'uncertainty_m',
    'precision_code', 'georeference_protocol', 'sources'];
  const open = new Set();
  const byId = (id) => document.getElementById(id);
  const { select: selectMark, close: closeMark, make, said } = lodemap;
  let drawn = [];
  let hint = null;
  let looks = 0;

  const keyOf = (layer, i) => `${layer.key.replace(':', '-')}/m${layer.rowOf ? layer.rowOf(i) : i}`;

  /** Layer and feature of a key; null for other marks. */
  function parse(key) {
    const found = /^(added-\d+)\/m(\d+)$/.exec(key);
    const layer = found && lodemap.manyLayers.get(found[1].replace('-', ':'));
    if (!layer) return null;
    const i = layer.indexOf ? layer.indexOf(Number(found[2])) : Number(found[2]);
    return i < 0 ? null : { layer, i };
  }

  const short = (text) => (text.length > 200 ? `${text.slice(0, 200)} …` : text);
  const words = (name) => lodemap.words(name);
  const OURS = /^(no value|\d[\d,]* other texts)$/;

  /** A fixed phrase in the reader's language, and later in another; else the text itself. */
  function told(text) {
    const found = lodemap.phrase(text);
    return found ? said(...found) : text;
  }

  /** A length for people; as `length` in facts.py. */
  function metres(value) {
    if (value >= 9950) return `${Math.round(value / 1000).toLocaleString('en')} km`;
    if (value >= 1000) return `${(value / 1000).toFixed(1)} km`.replace('.0 km', ' km');
    return `${Math.round(value)} m`;
  }

  /** Degrees with no more digits than a radius supports; as in geo/uncertainty.py. */
  function position([lon, lat], radius) {
    const digits = Math.max(0, Math.min(7, Math.ceil(Math.log10(DEGREE_M / 2 / radius))));
    const east = (((lon + 180) % 360) + 360) % 360 - 180;
    return `${Math.abs(lat).toFixed(digits)}° ${lat >= 0 ? 'N' : 'S'}, `
      + `${Math.abs(east).toFixed(digits)}° ${east >= 0 ? 'E' : 'W'}`;
  }

  /** Name of a feature: its own, or that of the layer with its row. */
  async function nameOf(layer, i) {
    const names = await layer.column('name');
    const own = names ? short(names.at(i)) : '';
    if (own) return own;
    if (layer.data.rows && !layer.rows) {
      layer.rows = lodemap.packed.numbers(layer.id, layer.data.rows, layer.total);
    }
    const rows = await layer.rows;
    return rows ? `${layer.data.layer} ${rows[i] + 1}` : layer.data.layer;
  }

  /** Name of a feature and its language, for the reader. */
  async function titleOf(layer, i) {
    const lang = lodemap.language();
    const names = lang === 'en' ? null : await layer.column(`name_${lang}`);
    const own = names ? short(names.at(i)) : '';
    return own ? { text: own, lang } : { text: await nameOf(layer, i), lang: '' };
  }

  /** Class of a feature in words; empty where the layer has none. */
  function classOf(layer, i) {
    const { classes } = layer.data;
    if (!classes) return '';
    const label = classes.labels[layer.places[i]];
    const [ours, ...values] = (OURS.test(label) && lodemap.phrase(label)) || [];
    return lodemap.t('{0}: {1}', words(classes.column), ours ? lodemap.t(ours, ...values)
      : `${label}${classes.unit ? ` ${classes.unit}` : ''}`);
  }

  /** Colour of a feature, by day and in the dark. */
  function colourOf(layer, i) {
    const [day, night] = layer.colours[layer.places ? layer.places[i] : 0];
    return `light-dark(${day}, ${night})`;
  }

  /** All that is known of a feature, as its columns have it. */
  async function record(layer, i) {
    const read = await Promise.all(layer.data.columns.map(async ({ name }) =>
      [name, (await layer.column(name)).at(i)]));
    const row = new Map(read);
    row.sourceAt = (await layer.column('sources'))?.codes?.[i] || 0;
    return row;
  }

  /** The evidence card of a feature; the same as card.html makes of the same columns. */
  async function card(layer, i) {
    const row = await record(layer, i);
    const { shape, data } = layer;
    const text = (name) => row.get(name) || '';
    const views = row.sourceAt ? data.sources[row.sourceAt - 1] : null;
    const cited = views ? views.cited : text('sources');
    const known = views ? views.known : [];
    const bare = !known.length && !cited;
    const el = make('article', '', { class: `card role-${data.role}`, lang: '',
      id: `card-${keyOf(layer, i).replace('/', '_')}` });
    el.style.setProperty('--mark', colourOf(layer, i));
    el.append(make('p', words(text('kind')) || data.layer, { class: 'kind' }));
    const title = await nameOf(layer, i);
    const others = ['ko', 'zh'].map((lang) => [lang, short(text(`name_${lang}`))]).filter(([, t]) => t);
    if (others.length) {
      const name = make('span', title, { 'data-n': '', 'data-l': '' });
      const names = make('p', '', { class: 'names others' });
      names.append(make('span', title, { lang: '' }));
      others.forEach(([lang, t]) => {
        name.dataset[lang] = t;
        names.append(make('span', t, { lang }));
      });
      lodemap.rename(name);
      el.append(make('h3', name), names);
      lodemap.showOthers(names);
    } else el.append(make('h3', title));
    const badge = text('status') || (bare ? said('no source named') : '');
    if (badge) {
      const line = make('p');
      line.append(make('span', badge, { class: `badge badge-${badge === 'hypothetical' ? badge : 'plain'}` }));
      el.append(line);
    }
    const whose = said('From the added layer “{0}”; not checked.', data.layer);
    el.append(make('p', bare ? said('{0} {1}', whose, said('It names no source.')) : whose));
    if (text('note')) el.append(make('p', text('note'), { class: 'small quiet' }));
    const facts = where(layer, i, row);
    if (cited) facts.push([said('Sources, as given'), cited]);
    row.forEach((value, name) => { if (!KNOWN.includes(name) && value) facts.push([name, value]); });
    const list = make('dl');
    facts.forEach(([label, value]) => list.append(make('dt', label), make('dd', value)));
    el.append(list);
    if (known.length) {
      el.append(make('h4', said('Sources')));
      const sources = make('ul', '', { class: 'plain small', lang: 'en' });
      known.forEach((source) => sources.append(sourceItem(source)));
      el.append(sources);
    }
    const say = `${title}, ${words(text('kind')) || data.layer}${bare ? ', no source named' : ''}`;
    return { el, name: title, say, radius: radiusOf(row, shape.kinds[i]), ...Object.fromEntries(others) };
  }

  /** Radius within which a point lies; 0 where nobody says so. */
  function radiusOf(row) {
    const value = Number((row.get('uncertainty_m') || '').replaceAll(',', ''));
    return value > 0 && value <= 5e6 ? value : 0;
  }

  /** Facts that say where a feature is, and how well that is known. */
  function where(layer, i, row) {
    const { shape, data } = layer;
    const radius = radiusOf(row);
    const facts = [];
    const place = (text) => facts.push([said('Where'), text]);
    if (i >= shape.placed) place(said('no place on the map'));
    else if (!radius) place(said('uncertainty not stated'));
    else if (shape.kinds[i] === 1) {
      place(told(`${position(shape.anchor(i), radius)}, somewhere within ${metres(radius)}`));
    } else place(told(`may be off by ${metres(radius)}`));
    const code = Number.parseInt(row.get('precision_code'), 10);
    if (Number.isFinite(code)) {
      const known = data.precision.find(([number]) => number === code);
      facts.push([said('Precision'), told(`${known ? known[1] : 'unknown code'} (code ${code})`)]);
    }
    const how = row.get('georeference_protocol');
    if (how) facts.push([said('How located'), how]);
    return facts;
  }

  /** A source as card.html shows it. */
  function sourceItem(source) {
    const item = make('li');
    if (source.url) item.append(make('a', source.title, { href: source.url, rel: 'noopener noreferrer' }));
    else item.append(make('span', source.title));
    item.append(`${source.by ? `, ${source.by}` : ''}${source.published ? `, ${source.published}` : ''}. `);
    if (source.reliability) item.append(`${source.reliability}: `, told(source.reliability_words), '. ');
    if (source.seen) item.append(told(`${source.seen.slice(0, 1).toUpperCase()}${source.seen.slice(1)}`), '.');
    return item;
  }

  /** Let the page's own cards know a feature: as a mark with its card, for a while. */
  async function register(layer, i) {
    const key = keyOf(layer, i);
    if (lodemap.marks.has(key)) return lodemap.marks.get(key);
    const made = await card(layer, i);
    byId('cards').append(made.el);
    const placed = i < layer.shape.placed;
    const anchor = placed ? layer.shape.anchor(i) : null;
    const bounds = placed ? L.latLngBounds(layer.shape.bounds(i)) : lodemap.map().getBounds().pad(-0.5);
    const mark = { key, card: made.el.id, name: made.name, ko: made.ko, zh: made.zh, say: made.say, mark: layer.key, rank: 9,
      role: layer.data.role, family: 'added', label: '', anchor: anchor || [0, 0], bounds, parts: [],
      radius: made.radius, i, layer, placed };
    lodemap.marks.set(key, mark);
    open.add(key);
    return mark;
  }

  /** Draw the chosen feature as a mark of its own, with its ring. */
  function promote(mark) {
    const { layer, i, key, anchor } = mark;
    if (!mark.placed) return;
    const { data, shape } = layer;
    const names = ['symbol', 'line', 'area'];
    const kind = names[shape.kinds[i] - 1];
    const feature = { key, name: mark.name, say: mark.say };
    if (kind === 'symbol') feature.at = anchor;
    else feature.geometry = shape.geometry(i);
    const { parts } = lodemap.draw({ role: data.role, family: 'added', shape: kind, dash: '',
      symbol: layer.symbol, pane: { symbol: 'marks', line: 'legs', area: 'areas' }[kind] }, feature);
    if (kind === 'symbol' && mark.radius) {
      const ring = [];
      for (let k = 0; k <= RING; k += 1) {
        ring.push(lodemap.geodesic.direct(...anchor, 360 * k / RING, mark.radius));
      }
      const near = ring.map(([x, y]) => [y, x - 360 * Math.round((x - anchor[0]) / 360)]);
      parts.unshift(L.polygon(near, { pane: 'discs', interactive: false, smoothFactor: 0.3,
        className: `role-${data.role} ring` }));
    }
    parts.forEach((part) => {
      part.on('add', () => part.getElement()?.style.setProperty('--mark', colourOf(layer, i)));
      part.addTo(lodemap.map());
    });
    mark.parts = parts;
    drawn = parts;
  }

  /** Forget features whose card is not open. */
  function forget(kept = []) {
    open.forEach((key) => {
      if (kept.includes(key)) return;
      byId(lodemap.marks.get(key).card)?.remove();
      lodemap.marks.delete(key);
      open.delete(key);
    });
  }

  function withdraw() {
    drawn.forEach((part) => part.remove());
    drawn = [];
  }

  /** Open the card of a mark or of a feature of a large layer. */
  async function selectMany(layer, i, options = {}) {
    looks += 1;
    const look = looks;
    let marks;
    try {
      marks = await Promise.all([[layer, i], ...(options.also || [])].map((one) => register(...one)));
    } catch {
      layer.fail();
      return;
    }
    if (look !== looks) return;
    withdraw();
    promote(marks[0]);
    const others = [...(options.others || []), ...marks.slice(1).map((mark) => mark.key)];
    selectMark(marks[0].key, { from: 'map', ...options, others });
    forget(marks.map((mark) => mark.key));
  }

  Object.assign(lodemap, {
    select: (key, options) => {
      const found = parse(key);
      if (found) {
        selectMany(found.layer, found.i, options);
        return true;
      }
      looks += 1;
      withdraw();
      const done = selectMark(key, options);
      forget();
      return done;
    },
    close: () => {
      withdraw();
      const done = closeMark();
      forget();
      return done;
    },
  });

  /** What lies under the pointer, in the layers from the top down. */
  function under(event, most) {
    const target = event.originalEvent.target;
    if (target.closest?.('.panel, .leaflet-control') || lodemap.measuring()) return [];
    const mark = target.closest?.('[data-key]');
    if (mark && !mark.classList.contains('area')) return [];
    const found = [...lodemap.manyLayers.values()].reverse().flatMap((layer) =>
      layer.at(event.containerPoint, most).map((i) => [layer, i]));
    // What is drawn over an area comes before it; another area does not.
    return mark ? found.filter(([{ shape }, i]) => shape.kinds[i] < 3) : found;
  }

  /** Take a click on an area where a point or a line of a large layer lies over it. */
  function intercept(event) {
    const map = lodemap.map();
    const area = event.target.closest?.('.area[data-key]');
    if (!area || map.dragging.moved()) return;
    const found = under({ originalEvent: event, containerPoint: map.mouseEventToContainerPoint(event) }, 7);
    if (!found.length) return;
    event.stopPropagation();
    selectMany(...found[0], { from: 'map', also: found.slice(1, MOST), others: [area.dataset.key] });
  }

  /** Show the name of what the pointer is on. */
  async function point(event) {
    const [found] = under(event, 1);
    const map = lodemap.map();
    map.getContainer().classList.toggle('is-on-many', Boolean(found));
    if (!found) {
      hint?.remove();
      hint = null;
      return;
    }
    const key = keyOf(...found);
    if (hint?.key === key) return;
    const name = await titleOf(...found).catch(() => ({ text: found[0].data.layer, lang: '' }));
    const text = make('span', name.text, { lang: name.lang });
    const kind = classOf(...found);
    if (kind) text.append(document.createElement('br'), kind);
    hint?.remove();
    hint = L.tooltip({ direction: 'top', offset: [0, -8], className: 'many-hint' });
    hint.key = key;
    const at = found[0].shape.kinds[found[1]] === 1 ? nearest(found, event.latlng) : event.latlng;
    hint.setLatLng(at).setContent(text).addTo(map);
  }

  /** Anchor of a point, in the copy of the world that the pointer is in. */
  function nearest([layer, i], { lng }) {
    const [lon, lat] = layer.shape.anchor(i);
    return [lat, lon + 360 * Math.round((lng - lon) / 360)];
  }

  /** Wire pointer and search, once. */
  function start() {
    const map = lodemap.map();
    let next = null;
    map.on('mousemove', (event) => {
      if (!next) requestAnimationFrame(() => { const last = next; next = null; point(last); });
      next = event;
    });
    map.on('mouseout movestart', () => { hint?.remove(); hint = null; });
    map.getContainer().addEventListener('click', intercept, true);
    map.on('click', (event) => {
      const found = under(event, 7);
      if (found.length) selectMany(...found[0], { from: 'map', also: found.slice(1, MOST) });
    });
  }

  let started = false;
  const dressMany = (layer) => {
    if (!started) start();
    started = true;
    layer.titleOf = (i) => titleOf(layer, i);
    layer.open = (i, options) => selectMany(layer, i, options);
    lodemap.toolMany(layer);
    lodemap.keysMany(layer);
    lodemap.labelMany(layer);
  };
  Object.assign(lodemap, { dressMany, manyName: nameOf, manyKey: keyOf, selectMany, classOf });
})();
