/* Measure: click points on the map, or choose two marks from lists. */
(() => {
  'use strict';

  let map = null;
  let active = false;
  let points = [];
  let drawn = null;
  let number = null; // made when it is asked for: it takes the browser long

  const byId = (id) => document.getElementById(id);

  /** A length in words: metres below 1 km, else kilometres with one decimal. */
  function words(metres) {
    number ??= new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
    return metres < 1000 ? `${Math.round(metres)} m` : `${number.format(metres / 1000)} km`;
  }

  /** Draw the line through the points and say how long it is. */
  function measure(extra = '') {
    drawn.clearLayers();
    let total = 0;
    let last = null;
    points.forEach((point, i) => {
      drawn.addLayer(L.circleMarker([point[1], point[0]], {
        pane: 'marks', radius: 4, className: 'measure-dot', interactive: false,
      }));
      if (i === 0) return;
      const before = points[i - 1];
      last = lodemap.geodesic.inverse(before[0], before[1], point[0], point[1]);
      if (!last) return;
      total += last.distance;
      drawn.addLayer(L.polyline(lodemap.geodesic.line(...before, ...point)
        .map(([x, y]) => [y, x]), {
        pane: 'legs', className: 'measure-line', interactive: false,
      }));
    });
    const out = byId('measure-result');
    out.dataset.metres = points.length > 1 && last ? String(total) : '';
    if (points.length < 2) {
      out.textContent = points.length ? lodemap.t('One point set; click the next.') : '';
    } else if (!last) {
      out.textContent = lodemap.t('These points are nearly opposite each other: not measured.');
    } else {
      const azimuth = Math.round(last.azimuth);
      out.textContent = lodemap.t('{0}, last azimuth {1}°', words(total), azimuth) + extra;
    }
    lodemap.announce(out.textContent);
  }

  /** Measure between the two marks chosen in the lists, with their uncertainty. */
  function between() {
    const [from, to] = ['measure-from', 'measure-to'].map((id) =>
      lodemap.marks.get(byId(id).value));
    if (!from || !to || from === to) return;
    points = [from.anchor, to.anchor];
    const found = lodemap.geodesic.inverse(...from.anchor, ...to.anchor);
    const slack = (from.radius || 0) + (to.radius || 0);
    const extra = found && slack
      ? lodemap.t('; between {0} and {1} as each lies somewhere in its ring',
        words(Math.max(0, found.distance - slack)), words(found.distance + slack))
      : '';
    measure(extra);
  }

  /** Fill a list with the marks that stand at a place. */
  function fill(select, marks) {
    const { value } = select;
    const first = select.options[0];
    first.textContent = lodemap.t('Choose a mark');
    const options = [...marks.values()].filter((mark) => mark.ends).map((mark) => {
      const { text, lang } = lodemap.nameOf(mark);
      return Object.assign(document.createElement('option'),
        { value: mark.key, textContent: text, lang });
    });
    options.sort((a, b) => a.textContent.localeCompare(b.textContent, lodemap.language()));
    select.replaceChildren(first, ...options);
    select.value = value;
  }

  /** Leave the tool and take its drawing away. */
  function stop() {
    if (!active) return;
    active = false;
    points = [];
    drawn.clearLayers();
    byId('measure').hidden = true;
    byId('measure-result').textContent = '';
    const button = document.querySelector('[data-do="measure"]');
    button.setAttribute('aria-expanded', 'false');
    map.getContainer().classList.remove('is-measuring');
    button.focus({ preventScroll: true });
  }

  /** Start or leave the tool. */
  function toggle(button) {
    if (active) { stop(); return; }
    active = true;
    byId('measure').hidden = false;
    button.setAttribute('aria-expanded', 'true');
    map.getContainer().classList.add('is-measuring');
    byId('measure-from').focus({ preventScroll: true });
  }

  /** Wire the tool. */
  function startMeasure(theMap, marks) {
    map = theMap;
    drawn = L.layerGroup().addTo(map);
    const lists = ['measure-from', 'measure-to'].map(byId);
    lists.forEach((list) => {
      fill(list, marks);
      list.addEventListener('change', between);
    });
    lodemap.whenSpoken(() => {
      lists.forEach((list) => fill(list, marks));
      if (!active) return;
      if (lists.every((list) => list.value)) between();
      else measure();
    });
    map.on('click', (event) => {
      if (!active) return;
      points.push([event.latlng.lng, event.latlng.lat]);
      measure();
    });
    byId('measure-clear').addEventListener('click', () => { points = []; measure(); });
  }

  Object.assign(lodemap, {
    length: words, measure: toggle, startMeasure, stopMeasuring: stop, measuring: () => active,
  });
})();
