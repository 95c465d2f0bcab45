/* Names on the map: placed in order of rank where they cover no other name and no mark. */
(() => {
  'use strict';

  const made = new Map();
  const GAP = 3;
  const PANELS = '.toolbar, .search, .leaflet-control-attribution, .leaflet-control-scale';

  /** Text and language of a label: a name, a word of ours, or a number. */
  function nameOf(mark) {
    const language = lodemap.language();
    if (mark.family === 'country') return { text: mark.label, lang: language };
    if (mark.label === mark.name) return lodemap.nameOf(mark);
    const text = lodemap.t(mark.label);
    return { text, lang: text === mark.label ? 'en' : language };
  }

  /** The element of a mark's label, made once. */
  function labelOf(mark, pane) {
    if (made.has(mark.key)) return made.get(mark.key);
    const el = document.createElement('div');
    el.className = `label label-${mark.family} role-${mark.role}`;
    el.setAttribute('aria-hidden', 'true');
    const main = document.createElement('span');
    main.className = 'label-main';
    const shown = nameOf(mark);
    main.textContent = shown.text;
    main.lang = shown.lang;
    el.append(main);
    lodemap.namesOf(mark).forEach(([lang, text]) => {
      if (!text || mark.rank > 2 || mark.family === 'candidate') return;
      if (lang === shown.lang || !(mark.ko || mark.zh) || mark.label !== mark.name) return;
      const other = document.createElement('span');
      other.className = 'label-other';
      other.lang = lang;
      other.textContent = text;
      el.append(other, ' ');
    });
    pane.append(el);
    const entry = { el, width: el.offsetWidth, height: el.offsetHeight };
    made.set(mark.key, entry);
    return entry;
  }

  const overlaps = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

  /** Boxes round an anchor, best first: [left, top, right, bottom]. */
  function boxes(mark, at, reach, { width: w, height: h }, span, toPoint) {
    const { x, y } = at;
    const box = (left, top) => [left, top, left + w, top + h];
    const middle = box(x - w / 2, y - h / 2);
    if (mark.family === 'region') {
      const [tall, wide] = [span.y, span.x];
      return [0, -1, 1, -2, 2, -3, 3, -4, 4].flatMap((row) => [0, -0.15, 0.15, 0.3, -0.3]
        .filter(() => Math.abs(row) * 18 < tall * 0.3)
        .map((column) => box(x - w / 2 + column * wide, y - h / 2 + row * 18)));
    }
    if (mark.family === 'country') {
      return mark.spots.map(toPoint).map((p) => box(p.x - w / 2, p.y - h / 2));
    }
    if (mark.place === 'middle') return [middle];
    if (mark.place === 'along' && mark.geometry) {
      const line = mark.geometry.coordinates;
      return [0.5, 0.4, 0.6, 0.3, 0.7, 0.2].flatMap((share) => {
        const p = toPoint(line[Math.round(share * (line.length - 1))]);
        const beside = (left, top) => [left, top, left + w, top + h];
        return [beside(p.x - w / 2, p.y - h - 7), beside(p.x - w / 2, p.y + 7),
          beside(p.x + 9, p.y - h / 2), beside(p.x - w - 9, p.y - h / 2)];
      });
    }
    const d = reach + GAP;
    return [box(x + d, y - h / 2), box(x - w - d, y - h / 2), box(x - w / 2, y - h - d),
      box(x - w / 2, y + d), box(x - w * 0.75, y + d), box(x + d * 0.7, y - h - d * 0.5),
      box(x + d * 0.7, y + d * 0.5), box(x - w - d * 0.7, y - h - d * 0.5),
      box(x - w - d * 0.7, y + d * 0.5)];
  }

  /** Boxes that labels should leave free: candidate areas, and the course of the legs. */
  function courtesies(map) {
    const soft = [];
    lodemap.marks.forEach((mark) => {
      if (!lodemap.shown(mark.mark)) return;
      if (mark.family === 'candidate') {
        const a = map.latLngToLayerPoint(mark.bounds.getNorthWest());
        const b = map.latLngToLayerPoint(mark.bounds.getSouthEast());
        soft.push([a.x, a.y, b.x, b.y, mark.key]);
      } else if (mark.family === 'leg') {
        mark.geometry.coordinates.forEach(([x, y]) => {
          const p = map.latLngToLayerPoint([y, x]);
          soft.push([p.x - 4, p.y - 4, p.x + 4, p.y + 4, mark.key]);
        });
      }
    });
    return soft;
  }

  /** Boxes of the panels that always stand on the map, which would cut a name short. */
  function panels(map) {
    const frame = map.getContainer().getBoundingClientRect();
    return [...document.querySelectorAll(PANELS)].map((el) => {
      const { left, top, right, bottom } = el.getBoundingClientRect();
      const a = map.containerPointToLayerPoint([left - frame.left, top - frame.top]);
      const b = map.containerPointToLayerPoint([right - frame.left, bottom - frame.top]);
      return [a.x, a.y, b.x, b.y, null];
    });
  }

  /** Labels that want a place at this zoom, important ones first. */
  function wanted(map) {
    const on = lodemap.shown('names');
    const late = map.getZoom() < lodemap.homeZoom() + 0.9;
    const passing = lodemap.passing?.() ?? [];
    const keys = new Set(passing.map(({ key }) => key));
    made.forEach(({ el }, key) => {
      if (!key.startsWith('name ') || keys.has(key)) return;
      el.remove();
      made.delete(key);
    });
    const all = [...lodemap.marks.values(), ...lodemap.countries, ...passing];
    return all.filter((mark) => {
      const visible = on && mark.label && !mark.sifted && (!mark.mark || lodemap.shown(mark.mark))
        && !(late && mark.late);
      if (!visible && made.has(mark.key)) made.get(mark.key).el.style.visibility = 'hidden';
      return visible;
    }).sort((a, b) => a.rank - b.rank);
  }

  /** Place all labels anew for the zoom that the map is at. */
  function place(map) {
    const pane = map.getPane('labels');
    const point = ([x, y]) => map.latLngToLayerPoint([y, x]);
    const taken = [];
    [...lodemap.marks.values(), ...(lodemap.passing?.() ?? [])].forEach((mark) => {
      if (!mark.at || mark.sifted || !lodemap.shown(mark.mark)) return;
      const { x, y } = point(mark.at);
      taken.push([x - 8, y - 8, x + 8, y + 8, mark.key]);
    });
    taken.push(...panels(map));
    const soft = courtesies(map);
    const seen = map.getPixelBounds();
    const origin = map.getPixelOrigin();
    const view = [seen.min.x - origin.x, seen.min.y - origin.y, seen.max.x - origin.x,
      seen.max.y - origin.y];
    wanted(map).forEach((mark) => {
      const at = point(mark.anchor);
      const entry = labelOf(mark, pane);
      const north = mark.bounds ? map.latLngToLayerPoint(mark.bounds.getNorthWest()) : at;
      const south = mark.bounds ? map.latLngToLayerPoint(mark.bounds.getSouthEast()) : at;
      const reach = mark.at ? 9 : Math.min(90, (south.y - north.y) / 2);
      const choices = boxes(mark, at, reach, entry, south.subtract(north), point);
      const clear = (obstacles) => (box) => !obstacles.some((other) =>
        other[4] !== mark.key && overlaps(box, other));
      const inside = (box) => box[0] > view[0] + 4 && box[1] > view[1] + 4
        && box[2] < view[2] - 4 && box[3] < view[3] - 4;
      const tooSmall = mark.family === 'candidate' && south.x - north.x < 9;
      const found = tooSmall ? null
        : choices.find((box) => inside(box) && clear(taken)(box) && clear(soft)(box))
          || (mark.rank < 4 && mark.family !== 'region'
            && (choices.find((box) => inside(box) && clear(taken)(box))
              || choices.find((box) => clear(taken)(box) && !overlaps(box, view))));
      entry.el.style.visibility = found ? 'visible' : 'hidden';
      if (!found) return;
      L.DomUtil.setPosition(entry.el, L.point(Math.round(found[0]), Math.round(found[1])));
      taken.push([found[0] - 2, found[1] - 1, found[2] + 2, found[3] + 1, null]);
    });
  }

  lodemap.whenSpoken(() => {
    made.forEach(({ el }) => el.remove());
    made.clear();
  });
  lodemap.whenPlaced(place);
  lodemap.placeNames = () => place(lodemap.map());
})();
