/* Drawings: parts of the base map, marks with their buttons, and how keys reach them. */
(() => {
  'use strict';

  /** One of the page's own drawings, as an SVG element. */
  function symbol(name) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 20 20');
    svg.setAttribute('aria-hidden', 'true');
    const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
    use.setAttribute('href', `#symbol-${name}`);
    svg.append(use);
    return svg;
  }

  /** Rings kept as whole thousandths of a degree, each vertex less the one before. */
  function unpack(ring) {
    const points = [];
    let [x, y] = [0, 0];
    for (let i = 0; i < ring.length; i += 2) {
      x += ring[i];
      y += ring[i + 1];
      points.push([y / 1000, x / 1000]);
    }
    return points;
  }

  /** The part of the base map that arrays of polygons or lines describe. */
  function base(data) {
    const style = {
      pane: 'base', interactive: false, className: `base-${data.kind}`, smoothFactor: 0,
    };
    return data.filled ? L.polygon(data.parts.map((p) => p.map(unpack)), style)
      : L.polyline(data.parts.map((p) => unpack(p[0])), { ...style, fill: false });
  }

  const swap = (coordinates) => coordinates.map(([x, y]) => [y, x]);

  /** Leaflet's latitude-first rings from those of a GeoJSON polygon or line. */
  function latLngs(geometry) {
    const c = geometry.coordinates;
    return {
      Polygon: () => c.map(swap),
      MultiPolygon: () => c.map((polygon) => polygon.map(swap)),
      LineString: () => swap(c),
      MultiLineString: () => c.map(swap),
    }[geometry.type]();
  }

  /** Make a drawn part of a mark a button that opens its card. */
  function dress(part, feature) {
    const el = part.getElement();
    if (!el) return;
    el.setAttribute('role', 'button');
    el.setAttribute('aria-label', lodemap.sayOf(lodemap.marks.get(feature.key) ?? feature));
    el.setAttribute('data-key', feature.key);
    el.setAttribute('tabindex', '-1');
    el.addEventListener('keydown', (event) => onMarkKey(event, feature));
    if (!lodemap.map().getContainer().querySelector('[data-key][tabindex="0"]')) {
      el.setAttribute('tabindex', '0');
    }
  }

  /** Enter opens the card of a mark; arrows step from mark to mark. */
  function onMarkKey(event, feature) {
    if (event.key === 'Enter' || event.key === ' ') {
      lodemap.select(feature.key);
    } else if (/^(Arrow|Home$|End$)/.test(event.key)) {
      const all = [...lodemap.map().getContainer().querySelectorAll('[data-key]')];
      const at = all.indexOf(event.currentTarget);
      const forward = event.key === 'ArrowRight' || event.key === 'ArrowDown';
      const next = { Home: 0, End: all.length - 1 }[event.key]
        ?? (at + (forward ? 1 : -1) + all.length) % all.length;
      event.currentTarget.setAttribute('tabindex', '-1');
      all[next].setAttribute('tabindex', '0');
      all[next].focus({ preventScroll: true });
      const mark = lodemap.marks.get(all[next].dataset.key);
      if (mark && !lodemap.map().getBounds().intersects(mark.bounds)) lodemap.map().panTo(mark.bounds.getCenter());
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Add a mark's name as a tooltip, for marks whose label does not fit. */
  function hint(part, feature) {
    const text = document.createElement('span');
    const shown = lodemap.nameOf(feature);
    text.textContent = shown.text;
    text.lang = shown.lang;
    part.bindTooltip(text, { sticky: !feature.at, direction: 'top', offset: [0, -8] });
  }

  /** The parts that draw one feature; the last one that takes the pointer is its button. */
  function draw(layer, feature) {
    const kind = `role-${layer.role} mark-${layer.family}`;
    const parts = [];
    let target;
    if (feature.geometry && feature.geometry.type.endsWith('LineString')) {
      const line = latLngs(feature.geometry);
      const flat = { interactive: false, noClip: true, smoothFactor: 0, fill: false };
      if (layer.head) {
        parts.push(L.polyline(line, { ...flat, pane: layer.pane, className: `${kind} casing` }));
      }
      const ink = L.polyline(line, {
        ...flat, pane: layer.pane, className: `${kind} ink`, dashArray: layer.dash || null,
      });
      if (layer.head) {
        ink.on('add', () => ink.getElement()
          .setAttribute('marker-end', `url(#head-${layer.role})`));
      }
      target = L.polyline(line, {
        ...flat, interactive: true, pane: layer.pane, className: `${kind} hit`, weight: 18,
      });
      parts.push(ink);
    } else if (feature.geometry) {
      target = L.polygon(latLngs(feature.geometry), {
        pane: layer.shape === 'symbol' ? 'around' : layer.pane, className: `${kind} area`, dashArray: layer.dash || null,
        smoothFactor: 0.3,
      });
      if (feature.geometry.edges) {
        // Tiles have cut it: their sides are no edge of it.
        target.on('add', () => { target.getElement().style.stroke = 'none'; });
        const edges = L.polyline(latLngs(feature.geometry.edges), {
          interactive: false, pane: layer.pane, className: `${kind} area`, smoothFactor: 0.3,
        });
        edges.on('add', () => { edges.getElement().style.fill = 'none'; });
        parts.push(edges);
      }
    } else {
      target = L.marker([feature.at[1], feature.at[0]], {
        pane: 'marks', keyboard: false, riseOnHover: true, zIndexOffset: feature.late ? -500 : 0,
        icon: L.divIcon({
          className: `mark-icon ${kind}`, html: symbol(layer.symbol || 'dot'),
          iconSize: [20, 20],
        }),
      });
    }
    target.on('add', () => dress(target, feature));
    target.on('click', (event) => {
      if (lodemap.measuring()) return;
      L.DomEvent.stopPropagation(event);
      const at = event.originalEvent;
      const others = document.elementsFromPoint(at.clientX, at.clientY)
        .map((el) => el.closest('[data-key]')?.dataset.key);
      lodemap.select(feature.key, { from: 'map', others });
    });
    hint(target, feature);
    parts.push(target);
    return { parts, target };
  }

  Object.assign(lodemap, { base, draw, symbol, swap });
})();
