/* Large layers by keyboard: a cursor that steps from feature to feature; and by name. */
(() => {
  'use strict';

  const MOST = 8;
  const WAIT_MS = 120;
  const ENOUGH = 200;
  const { make } = lodemap;
  let started = false;

  /** The next feature in view from one on, in the order of the file; -1 if there is none. */
  function next(layer, i, way) {
    const { shape, wanted } = layer;
    const windows = layer.windows();
    const total = shape.placed;
    for (let step = 1; step <= total; step += 1) {
      const at = (i + way * step + total) % total;
      if (at % shape.block === 0 || step === 1) {
        const k = 4 * Math.floor(at / shape.block);
        if (way > 0 && !windows.some((window) => shape.meets(k, window))) {
          step += shape.block - 1 - (at % shape.block);
          continue;
        }
      }
      if ((!wanted || wanted[at]) && windows.some((window) => shape.touches(at, window))) return at;
    }
    return -1;
  }

  /** The feature nearest to the middle of the view. */
  function middle(layer) {
    const { zoom, left, top, width, height } = layer.view(0);
    const [x, y] = [left + width / 2, top + height / 2];
    for (let reach = 40; reach < 2 * Math.max(width, height); reach *= 3) {
      const [found] = layer.shape.at(zoom, x, y, reach, layer.wanted, 1);
      if (found !== undefined) return found;
    }
    return -1;
  }

  /** Add the cursor of a layer: a stop for Tab, on which arrows step. */
  function keysMany(layer) {
    const map = lodemap.map();
    if (!map.getPane('many-cursor')) {
      map.createPane('many-cursor').style.zIndex = 630;
      map.getPane('many-cursor').style.pointerEvents = 'none';
    }
    const cursor = make('div', '', { class: 'many-cursor', role: 'button', tabindex: '0' });
    lodemap.ta(cursor, 'aria-label', 'Features of {0}: arrow keys step through what is in view, Enter opens a card', layer.data.layer);
    map.getPane('many-cursor').append(cursor);
    let at = -1;

    function place() {
      if (at < 0 || !layer.shape) return;
      const [lon, lat] = layer.shape.anchor(at);
      const turn = Math.round((map.getCenter().lng - lon) / 360);
      L.DomUtil.setPosition(cursor, map.latLngToLayerPoint([lat, lon + 360 * turn]).round());
    }

    async function step(to) {
      at = to;
      place();
      cursor.classList.toggle('is-placed', at >= 0);
      if (at < 0) {
        lodemap.announce(lodemap.t('No feature of this layer is in view'));
        return;
      }
      const name = await layer.titleOf(at);
      delete cursor.dataset.ta;
      cursor.lang = name.lang;
      cursor.setAttribute('aria-label', layer.classed
        ? lodemap.t('{0}, {1}', name.text, lodemap.classOf(layer, at)) : name.text);
      lodemap.announce(cursor.getAttribute('aria-label'));
    }

    cursor.addEventListener('focus', () => {
      if (!layer.shape) return;
      const inView = at >= 0 && layer.windows().some((window) => layer.shape.touches(at, window));
      step(inView ? at : middle(layer));
    });
    cursor.addEventListener('keydown', (event) => {
      if (!layer.shape) return;
      if ((event.key === 'Enter' || event.key === ' ') && at >= 0) {
        lodemap.selectMany(layer, at, { from: 'keys' });
      } else if (/^Arrow/.test(event.key)) {
        step(next(layer, at, event.key === 'ArrowRight' || event.key === 'ArrowDown' ? 1 : -1));
      } else if (event.key === 'Home') step(next(layer, -1, 1));
      else if (event.key === 'End') step(next(layer, layer.shape.placed, -1));
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    map.on('zoom viewreset moveend', place);
    layer.listeners.push(() => { cursor.hidden = !layer.shown || !layer.shape?.placed; });
    if (!started) startSearch();
    started = true;
  }

  /** Let the page's search find the names of large layers as well. */
  function startSearch() {
    const box = document.getElementById('search');
    const list = document.getElementById('search-list');
    let turn = 0;
    let timer = 0;

    async function look() {
      turn += 1;
      const mine = turn;
      const wanted = lodemap.plainText(box.value).trim();
      if (!wanted) return;
      const found = [];
      for (const layer of lodemap.manyLayers.values()) {
        if (!layer.shape) continue;
        if (layer.find) {
          found.push(...await layer.find(wanted, ENOUGH));
          if (mine !== turn) return;
          continue;
        }
        for (const column of ['name', 'name_ko', 'name_zh']) {
          await lodemap.eachMatch(layer, column, wanted, (i, lump, at) => {
            const start = lump.lastIndexOf('\0', at) + 1;
            const end = lump.indexOf('\0', at);
            const size = (end < 0 ? lump.length : end) - start;
            found.push({ layer, i, score: (at - start) * 10 + size - wanted.length });
            return found.length >= ENOUGH && found.some(({ score }) => score === 0);
          }).catch(() => layer.fail());
          if (mine !== turn) return;
        }
      }
      const best = [...new Map(found.sort((a, b) => a.score - b.score)
        .map((hit) => [hit.key ?? lodemap.manyKey(hit.layer, hit.i), hit]))].slice(0, MOST);
      const names = await Promise.all(best.map(([, { layer, i, title }]) => title ?? layer.titleOf(i)));
      if (mine !== turn || lodemap.plainText(box.value).trim() !== wanted) return;
      const had = [...list.children].filter((el) => el.dataset.key);
      if (!had.length && names.length) list.replaceChildren();
      names.slice(0, Math.max(2, MOST - had.length)).forEach((name, k) => list.append(option(name, best[k][0], had.length + k)));
      if (had.length || names.length) {
        lodemap.announce(had.length + names.length === 1 ? lodemap.t('{0} name matches', 1)
          : lodemap.t('{0} names match', had.length + names.length));
      }
    }

    /** A row of the list, as search.js makes them. */
    function option(name, key, place) {
      const el = make('li', '', { role: 'option', id: `found-${place}`, 'aria-selected': 'false' });
      el.dataset.key = key;
      el.append(make('span', name.text, { lang: name.lang }));
      el.addEventListener('pointerdown', (event) => event.preventDefault());
      el.addEventListener('click', () => {
        box.value = '';
        box.dispatchEvent(new Event('input'));
        lodemap.select(key, { from: 'search' });
      });
      return el;
    }

    box.addEventListener('input', () => {
      turn += 1;
      clearTimeout(timer);
      timer = setTimeout(look, WAIT_MS);
    });
  }

  lodemap.keysMany = keysMany;
})();
