/* The map: layers, marks, cards. Text enters the document through textContent only. */
(() => {
  'use strict';

  const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  const hooks = [];
  const marks = new Map();
  const groups = new Map();
  const countries = [];
  const ground = [];
  let map = null;
  let home = null;
  let homeZoom = 0;
  let touched = false;
  let drawn = false;
  let restore = null;
  let trying = false;
  let fitted = null;

  const byId = (id) => document.getElementById(id);
  const animate = !still;

  /** Say a sentence to readers of the screen. */
  function announce(text) {
    byId('live').textContent = text;
  }

  /** Start the map in the element of that id; `options.bounds` is the first view. */
  function start(id, options) {
    map = L.map(id, {
      zoomControl: false, attributionControl: false, zoomSnap: 0.25, zoomDelta: 0.5,
      wheelPxPerZoomLevel: 110, minZoom: 1, maxZoom: 13, worldCopyJump: false,
      zoomAnimation: animate, fadeAnimation: false, markerZoomAnimation: animate,
      inertia: animate, closePopupOnClick: false,
    });
    [['base', 200], ['regions', 300], ['around', 320], ['areas', 340], ['discs', 380], ['ties', 400],
      ['legs', 450], ['marks', 600], ['labels', 640]].forEach(([name, z]) => {
      map.createPane(name).style.zIndex = z;
    });
    map.getPane('base').style.pointerEvents = 'none';
    map.getPane('labels').style.pointerEvents = 'none';
    L.Marker.prototype.options.icon = L.divIcon({
      className: 'mark-icon role-added', html: lodemap.symbol('pin'), iconSize: [20, 20],
    });
    L.control.attribution({ prefix: false, position: 'bottomright' })
      .addAttribution(`<span lang="en">${options.attribution}</span> · <a href="#sources">`
        + '<span id="all-link"></span></a>').addTo(map);
    byId('all-link').textContent = lodemap.t('All sources');
    L.control.scale({ imperial: false, position: 'bottomright', maxWidth: 120 }).addTo(map);
    if (options.tiles) {
      L.tileLayer(options.tiles.url, { maxZoom: 13, pane: 'base' })
        .addTo(map);
      map.getContainer().classList.add('has-tiles');
    }
    home = L.latLngBounds(options.bounds);
    map.fitBounds(home, { ...clearance(), animate: false });
    return map;
  }

  /** Room that the page's own panels take from the map, as Leaflet's padding. */
  function clearance() {
    const box = map.getContainer().getBoundingClientRect();
    const sheet = byId('sheet');
    const narrow = box.width < 560;
    let [right, bottom] = narrow ? [64, 40] : [24, 48];
    if (!sheet.hidden) {
      const over = sheet.getBoundingClientRect();
      if (over.width < box.width * 0.7) right = box.right - over.left + 12;
      else bottom = Math.max(12, Math.min(box.bottom - over.top + 12, box.height * 0.6));
    }
    return {
      paddingTopLeft: narrow ? [16, 68] : [80, 64],
      paddingBottomRight: [right, bottom],
    };
  }

  /** Call once no zoom is under way: Leaflet drops a new view that comes during one. */
  function whenStill(act) {
    if (map._animatingZoom) map.once('zoomend', act);
    else act();
  }

  /** Fit the whole exchange, clear of the legend where the room allows it. */
  function fitHome(animated) {
    const room = clearance();
    const [right, bottom] = room.paddingBottomRight;
    const [left, top] = room.paddingTopLeft;
    const legend = byId('legend');
    const views = [[left, bottom]];
    if (!legend.hidden && map.getSize().x >= 560) {
      const { offsetWidth: w, offsetHeight: h } = legend;
      [60, 100, 140, 180, 220, h + 24].forEach((low) => views.push([left, low]));
      views.push([w + 24, bottom]);
    }
    fitted = map.getSize();
    trying = true;
    const clear = views.find(([west, south]) => {
      map.fitBounds(home, {
        paddingTopLeft: [west, top], paddingBottomRight: [right, south], animate: false,
      });
      return legend.hidden || !covers(legend);
    });
    trying = !drawn; // what is drawn then has its names placed with it
    const [west, south] = clear || views[0];
    map.fitBounds(home, {
      paddingTopLeft: [west, top], paddingBottomRight: [right, south], animate: animated,
    });
    trying = false;
  }

  /** Whether a panel hides a name, or a mark that is named from the start. */
  function covers(panel) {
    const box = panel.getBoundingClientRect();
    const frame = map.getContainer().getBoundingClientRect();
    const under = (left, top, right, bottom) => left < box.right && right > box.left
      && top < box.bottom && bottom > box.top;
    hooks.forEach((hook) => hook(map));
    const names = [...map.getPane('labels').children].some((el) => {
      const { left, top, right, bottom } = el.getBoundingClientRect();
      return el.style.visibility === 'visible' && !el.classList.contains('label-country')
        && under(left, top, right, bottom);
    });
    return names || [...marks.values()].some((mark) => {
      if (mark.late || !mark.label || mark.family === 'region') return false;
      const { x, y } = map.latLngToContainerPoint([mark.anchor[1], mark.anchor[0]]);
      const [left, top] = [x + frame.left, y + frame.top];
      return under(left - 10, top - 10, left + 10, top + 10);
    });
  }

  /** What the browser calls a country in the reader's language. */
  function countryName(code) {
    return new Intl.DisplayNames([lodemap.language()], { type: 'region' }).of(code);
  }

  /** Say what the map itself says in another language. */
  function onSpoken() {
    byId('all-link').textContent = lodemap.t('All sources');
    countries.forEach((country) => { country.label = countryName(country.code); });
    marks.forEach((mark) => {
      mark.parts.forEach((part) => {
        const el = part.getElement?.();
        if (el?.dataset.key) el.setAttribute('aria-label', lodemap.sayOf(mark));
        const tip = part.getTooltip?.()?.getContent();
        if (tip?.lang !== undefined) Object.assign(tip, nameOf(mark));
      });
    });
    hooks.forEach((hook) => hook(map));
  }

  /** A mark's name as properties of the element that shows it. */
  function nameOf(mark) {
    const { text, lang } = lodemap.nameOf(mark);
    return { textContent: text, lang };
  }

  /** Note the name of a country, which the browser knows by its code. */
  function nameCountry({ code, at }) {
    if (!/^[A-Z]{2}$/.test(code)) return;
    countries.push({ key: `country ${code}`, code, label: countryName(code), anchor: at[0], spots: at, rank: 4,
      family: 'country', role: 'ink' });
  }

  /** Take a layer of marks, described by the JSON in the element of that id. */
  function layer(id) {
    const data = JSON.parse(byId(id).textContent);
    if (data.base) {
      ground.push(lodemap.base(data));
      return;
    }
    if (data.countries) {
      data.countries.forEach(nameCountry);
      return;
    }
    const group = L.layerGroup();
    const rings = groupOf('uncertainty');
    data.features.forEach((feature) => {
      const { parts, target } = lodemap.draw(data, { ...feature, family: data.family });
      parts.forEach((part) => group.addLayer(part));
      const bounds = L.latLngBounds(target.getBounds
        ? target.getBounds() : [target.getLatLng(), target.getLatLng()]);
      if (feature.ring) {
        const ring = L.polygon(lodemap.swap(feature.ring), {
          pane: 'discs', interactive: false, className: `role-${data.role} ring`,
          smoothFactor: 0.3,
        });
        rings.members.push({ part: ring, mark: data.mark, key: feature.key });
        bounds.extend(ring.getBounds());
      }
      marks.set(feature.key, { ...feature, mark: data.mark, rank: data.rank, bounds, parts,
        role: data.role, family: data.family });
    });
    groups.set(data.mark, { group, on: false, first: data.on, members: [] });
    show(data.mark, data.on);
  }

  /** The group of that key; made when it is first asked for. */
  function groupOf(key) {
    if (!groups.has(key)) {
      groups.set(key, { group: L.layerGroup(), on: true, first: true, members: [] });
    }
    return groups.get(key);
  }

  /** Switch a row of the legend: its marks and, with them, their rings. */
  function show(key, on) {
    const entry = groupOf(key);
    entry.on = on;
    if (!drawn) return;
    if (on) entry.group.addTo(map);
    else entry.group.remove();
    drawRings();
    keepStop();
    const box = document.querySelector(`#legend input[value="${CSS.escape(key)}"]`);
    if (box && box.checked !== on) box.checked = on;
    const chosen = lodemap.chosen();
    if (chosen && chosen.mark === key) lodemap.flag(chosen.key);
    hooks.forEach((hook) => hook(map));
  }

  /** Draw the rings of what is on the map, where rings are wanted. */
  function drawRings() {
    const rings = groupOf('uncertainty');
    rings.members.forEach(({ part, mark, key }) => {
      if (rings.on && groupOf(mark).on && !marks.get(key).sifted) part.addTo(map);
      else part.remove();
    });
  }

  /** Keep one mark as the stop for Tab, whichever were taken away. */
  function keepStop() {
    const drawn = map.getContainer();
    if (drawn.querySelector('[data-key][tabindex="0"]')) return;
    drawn.querySelector('[data-key]')?.setAttribute('tabindex', '0');
  }

  /** Take marks off the map that a filter leaves out, and put others back: pairs of both. */
  function sift(pairs) {
    pairs.forEach(([mark, out]) => {
      if (Boolean(mark.sifted) === out) return;
      mark.sifted = out;
      const { group } = groupOf(mark.mark);
      mark.parts.forEach((part) => (out ? group.removeLayer(part) : group.addLayer(part)));
    });
    drawRings();
    keepStop();
    hooks.forEach((hook) => hook(map));
  }

  const actions = {
    'zoom-in': () => { touched = true; map.zoomIn(); },
    'zoom-out': () => { touched = true; map.zoomOut(); },
    reset: () => {
      whenStill(() => { fitHome(animate); touched = false; });
      announce(lodemap.t('The whole exchange is in view'));
    },
    full: () => {
      if (document.fullscreenElement) document.exitFullscreen();
      else byId('stage').requestFullscreen().catch(() => announce(lodemap.t('Full screen was refused')));
    },
    close: () => lodemap.close(),
    copy: (button) => lodemap.copyLink(button),
    legend: (button) => {
      if (narrow()) {
        lodemap.stopMeasuring();
        shutTime();
      }
      toggle(button, byId('legend'));
    },
    measure: (button) => {
      if (narrow()) shutLegend();
      shutTime();
      lodemap.measure(button);
    },
    time: (button) => {
      if (narrow()) shutLegend();
      lodemap.stopMeasuring();
      lodemap.toggleTime(button);
    },
    explain: (button) => {
      const on = byId('legend').classList.toggle('is-full');
      button.setAttribute('aria-pressed', String(on));
    },
  };

  /** Whether the panels share one place, so that only one of them can be open. */
  function narrow() {
    return window.innerWidth < 900;
  }

  /** Shut the legend; false if it was not open. */
  function shutLegend() {
    if (byId('legend').hidden) return false;
    toggle(document.querySelector('[data-do="legend"]'), byId('legend'));
    return true;
  }

  /** Shut the panel of dates; false if it was not open. */
  function shutTime() {
    if (byId('time').hidden) return false;
    const button = document.querySelector('[data-do="time"]');
    lodemap.toggleTime(button);
    button.focus({ preventScroll: true });
    return true;
  }

  /** Open or shut the panel that a button controls. */
  function toggle(button, panel) {
    panel.hidden = !panel.hidden;
    button.setAttribute('aria-expanded', String(!panel.hidden));
    if (!panel.hidden) panel.querySelector('input,button,select')?.focus();
  }

  /** Lay the page out for paper: whole story, whole exchange, legend under the map. */
  function beforePrint() {
    lodemap.close();
    const shut = [...document.querySelectorAll('#story details:not([open])')];
    shut.forEach((el) => { el.open = true; });
    const legend = byId('legend');
    restore = { shut, hidden: legend.hidden, view: map.getCenter(), zoom: map.getZoom() };
    document.documentElement.classList.add('is-printing');
    legend.hidden = true;
    map.invalidateSize({ animate: false });
    fitHome(false);
    legend.hidden = false;
  }

  /** Put the page back as it was before printing. */
  function afterPrint() {
    if (!restore) return;
    document.documentElement.classList.remove('is-printing');
    restore.shut.forEach((el) => { el.open = false; });
    byId('legend').hidden = restore.hidden;
    map.invalidateSize({ animate: false });
    map.setView(restore.view, restore.zoom, { animate: false });
    restore = null;
  }

  /** Put everything on the map, once the view is chosen: drawing twice takes time. */
  function drawAll() {
    drawn = true;
    ground.forEach((part) => part.addTo(map));
    groups.forEach((entry) => { if (entry.on) entry.group.addTo(map); });
    drawRings();
  }

  /** Wire the page's own controls; called once, after the last layer. */
  function ready() {
    const root = document.documentElement;
    document.addEventListener('click', (event) => {
      const button = event.target.closest('[data-do]');
      if (button) actions[button.dataset.do](button);
      const anchor = event.target.closest('a[href^="#"]');
      if (anchor && !event.defaultPrevented && window.location.protocol === 'about:') {
        event.preventDefault(); // a frame without an address would leave the page
        byId(anchor.getAttribute('href').slice(1))?.scrollIntoView();
      }
      const link = event.target.closest('a[data-mark]');
      if (link && lodemap.select(link.dataset.mark, { from: 'panel' })) event.preventDefault();
    });
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      if (lodemap.close()) return;
      if (lodemap.measuring()) lodemap.stopMeasuring();
      else if (shutTime()) return;
      else if (narrow() && shutLegend()) document.querySelector('[data-do="legend"]').focus();
    });
    byId('legend').addEventListener('change', (event) => {
      if (event.target.type === 'checkbox') show(event.target.value, event.target.checked);
    });
    map.on('moveend resize', () => {
      if (!trying) hooks.forEach((hook) => hook(map));
    });
    const stay = () => { touched = true; };
    map.on('dragstart', stay).getContainer().addEventListener('wheel', stay, { passive: true });
    new ResizeObserver(() => {
      if (restore) return;
      map.invalidateSize({ animate: false });
      if (!touched && byId('sheet').hidden && !map.getSize().equals(fitted)) fitHome(false);
    }).observe(byId('stage'));
    window.addEventListener('beforeprint', beforePrint);
    window.addEventListener('afterprint', afterPrint);
    if (window.innerWidth < 1100 || window.innerHeight < 760) {
      byId('legend').hidden = true;
      document.querySelector('[data-do="legend"]').setAttribute('aria-expanded', 'false');
    }
    lodemap.whenSpoken(onSpoken);
    lodemap.startWords();
    lodemap.startSearch(marks);
    lodemap.startMeasure(map, marks);
    lodemap.startStory();
    lodemap.startTime();
    lodemap.startCompare();
    fitHome(false);
    homeZoom = map.getZoom();
    drawAll();
    hooks.forEach((hook) => hook(map));
    lodemap.startLink(map, () => [...groups].map(([key, { on, first }]) => ({ key, on, first })));
    root.dataset.started = '';
    requestAnimationFrame(() => requestAnimationFrame(() => {
      root.dataset.ready = String(Math.round(performance.now()));
      window.dispatchEvent(new CustomEvent('lodemap:ready'));
    }));
  }

  const lodemap = window.lodemap = Object.assign(window.lodemap || {}, {
    announce, start, layer, ready, marks, show, sift, countries, clearance, animate,
    whenStill,
    map: () => map,
    touch: () => { touched = true; },
    touched: () => touched,
    homeZoom: () => homeZoom || map.getZoom(),
    shown: (key) => groupOf(key).on,
    whenPlaced: (hook) => hooks.push(hook),
  });
})();
