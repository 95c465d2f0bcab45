/* Large layers: each a canvas under the marks that moves with the map and is painted anew
 * beside it, so that moving never waits for painting. */
(() => {
  'use strict';

  const layers = new Map();
  const PANES = { symbol: ['many-points', 590], line: ['many-lines', 455], area: ['many-areas', 345] };

  const EDGE = 16; // how far a symbol or a line reaches beyond its place, in pixels
  const REST_MS = 300; // the first picture reaches the screen before the rest is read
  const later = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

  class Many {
    constructor(id, data) {
      Object.assign(this, {
        id, data, key: data.mark, symbol: data.symbol || 'pin', paper: data.paper, shape: null,
        places: null, wanted: null, filter: null, current: null, front: null, columns: new Map(),
        classed: Boolean(data.classes), colours: (data.classes || data).colours, listeners: [],
        damaged: false, total: data.shapes.features, kind: { symbol: 1, line: 2, area: 3 }[data.shape],
      });
      const [pane, z] = PANES[data.shape];
      const map = lodemap.map();
      if (!map.getPane(pane)) {
        map.createPane(pane).style.zIndex = z;
        map.getPane(pane).style.pointerEvents = 'none';
      }
      this.canvases = [0, 1].map(() => {
        const canvas = document.createElement('canvas');
        canvas.className = 'many leaflet-zoom-animated';
        canvas.setAttribute('aria-hidden', 'true');
        canvas.hidden = true;
        map.getPane(pane).append(canvas);
        return canvas;
      });
    }

    /** Read geometry and classes; the other columns wait until they are asked for. */
    async load() {
      const { shapes, classes } = this.data;
      try {
        [this.shape, this.places] = await Promise.all([
          lodemap.packed.shapes(this.id, shapes),
          classes ? lodemap.packed.numbers(this.id, classes.places, this.total) : null,
        ]);
      } catch {
        this.fail();
        return;
      }
      await this.choose();
      document.documentElement.dataset.many = String(Math.round(performance.now()));
      this.tell();
      await later(REST_MS);
      try {
        await this.shape.rest;
      } catch {
        this.fail();
        return;
      }
      document.documentElement.dataset.manyRead = String(Math.round(performance.now()));
      this.readAhead();
    }

    /** Say that the data of the layer cannot be read. */
    fail() {
      this.damaged = true;
      lodemap.announce(lodemap.t('The data of the layer {0} are damaged', this.data.layer));
      this.tell();
    }

    /** Read the other columns while nobody waits for anything. */
    async readAhead() {
      const idle = window.requestIdleCallback || ((act) => setTimeout(act, 200));
      for (const { name } of this.data.columns) {
        await new Promise((resolve) => { idle(resolve); });
        await this.column(name).catch(() => this.fail());
      }
    }

    /** A column by its name; null where the layer has no such column. */
    column(name) {
      const packed = this.data.columns.find((one) => one.name === name);
      if (!packed) return Promise.resolve(null);
      if (!this.columns.has(name)) {
        this.columns.set(name, Promise.resolve(this.shape?.rest)
          .then(() => lodemap.packed.read(this.id, packed, this.total))
          .then((column) => ({ ...column, packed })));
      }
      return this.columns.get(name);
    }

    /** Which features are wanted: those that pass the filter, in classes that are on. */
    async choose() {
      const { classes } = this.data;
      const on = classes ? classes.labels.map((_, i) => lodemap.shown(`${this.key}:${i}`)) : [];
      this.off = on.join();
      const { filter, places } = this;
      if (!filter && on.every(Boolean)) {
        this.wanted = null;
      } else {
        const wanted = new Uint8Array(this.shape.placed);
        for (let i = 0; i < wanted.length; i += 1) {
          wanted[i] = (!filter || filter[i]) && (!places || on[places[i]]) ? 1 : 0;
        }
        this.wanted = wanted;
      }
      await this.repaint();
      this.tell();
    }

    get shown() { return lodemap.shown(this.key); }

    /** What is in view, in pixels of the world, with `pad` of it around. */
    view(pad) {
      const map = lodemap.map();
      const size = map.getSize();
      const zoom = map.getZoom();
      const { x, y } = map.getPixelBounds().min;
      return {
        zoom, left: Math.round(x - pad * size.x), top: Math.round(y - pad * size.y),
        width: Math.round(size.x * (1 + 2 * pad)), height: Math.round(size.y * (1 + 2 * pad)),
      };
    }

    /** Windows of steps over what is in view, and over so many pixels around it. */
    windows(around = 0) {
      const { zoom, left, top, width, height } = this.view(0);
      return this.shape.windows(zoom, left - around, top - around, left + width + around, top + height + around);
    }

    /** Whether all of the layer is in view, in one copy of the world and with none beside it. */
    isWhole() {
      if (this.data.tiles || !this.shape.placed) return false;
      const [one, other] = this.windows(EDGE);
      if (!one || other) return false;
      const [w, n, e, s] = this.shape.whole();
      const room = 2 * EDGE / this.shape.scale(lodemap.map().getZoom()).step;
      return one.w + room <= w && one.e - room >= e && one.n + room <= n && one.s - room >= s;
    }

    /** Whether the picture that shows reaches over all that is in view. */
    covers() {
      const [now, had] = [this.view(0), this.picture];
      if (!had || had.zoom !== now.zoom) return false;
      if (had.whole) return this.windows(EDGE).every(({ turn }) => turn === had.windows[0].turn);
      return now.left >= had.left && now.top >= had.top
        && now.left + now.width <= had.left + had.width
        && now.top + now.height <= had.top + had.height;
    }

    /** Paint the layer beside the picture that shows, then show it instead. */
    async repaint({ now = false } = {}) {
      if (!this.shape) return;
      if (!this.shown) {
        this.current = null;
        this.picture = null;
        this.canvases.forEach((canvas) => { canvas.hidden = true; });
        return;
      }
      const canvas = this.canvases.find((one) => one !== this.front);
      // A picture of the whole layer needs nothing around it: there is no more to come.
      const whole = this.isWhole();
      const painting = new lodemap.Painting(this, canvas, { ...this.view(whole ? 0 : lodemap.manyPad), whole });
      painting.now = now;
      this.current = painting;
      this.busy = true;
      const done = await painting.paint();
      if (this.current !== painting || !done) return;
      this.busy = false;
      this.picture = painting;
      const old = this.front;
      this.front = canvas;
      this.place();
      canvas.hidden = false;
      if (old) old.hidden = true;
      this.tell();
      if (!this.covers() && !lodemap.map()._animatingZoom) this.repaint();
    }

    /** Put the picture where it belongs at the map's view, or at one that is to come. */
    place(center, zoom) {
      if (!this.picture) return;
      const map = lodemap.map();
      const to = zoom ?? map.getZoom();
      const origin = center ? map._getNewPixelOrigin(center, to) : map.getPixelOrigin();
      const scale = 2 ** (to - this.picture.zoom);
      L.DomUtil.setTransform(this.front, L.point(this.picture.left, this.picture.top)
        .multiplyBy(scale).subtract(origin), scale);
    }

    /** Features at a point of the map's container, nearest first. */
    at(point, most = 7) {
      if (!this.shape || !this.shown || !this.picture) return [];
      const world = lodemap.map().getPixelBounds().min.add(point);
      const { way, side } = this.picture.manner;
      const own = way === 'symbol' ? 11 : way === 'density' ? 3 : side / 2 + 2;
      const reach = Math.max(this.kind === 1 ? own : 5, this.coarse ? 14 : 0);
      return this.shape.at(lodemap.map().getZoom(), world.x, world.y, reach, this.wanted, most);
    }

    /** Call when what is shown or known of the layer has changed. */
    tell() { this.listeners.forEach((act) => act(this)); }
  }

  /** Take a large layer, described by the JSON in the element of that id. */
  function many(id) {
    const data = JSON.parse(document.getElementById(id).textContent);
    lodemap.layer(id);
    const Kind = data.tiles ? lodemap.tiled(Many) : Many;
    const layer = new Kind(id, data);
    const map = lodemap.map();
    if (!layers.size) map.setMaxZoom(18);
    layers.set(layer.key, layer);
    map.on('zoomanim', (event) => layer.place(event.center, event.zoom));
    map.on('zoom viewreset', () => layer.place());
    map.on('move', () => {
      if (!layer.busy && !map._animatingZoom && layer.shown && !layer.covers()) layer.repaint();
    });
    map.on('moveend resize', () => {
      if (!layer.covers()) layer.repaint();
      layer.tell();
    });
    lodemap.whenPlaced(() => {
      if (!layer.shape) return;
      const on = (data.classes?.labels || []).map((_, i) => lodemap.shown(`${layer.key}:${i}`));
      if (on.join() !== layer.off) layer.choose();
      else if (layer.shown !== Boolean(layer.picture)) layer.repaint().then(() => layer.tell());
    });
    lodemap.whenDark(() => layer.repaint());
    ['beforeprint', 'afterprint'].forEach((name) =>
      window.addEventListener(name, () => layer.repaint({ now: true })));
    layer.coarse = window.matchMedia('(pointer: coarse)').matches;
    lodemap.dressMany(layer);
    layer.loading = layer.load();
  }

  Object.assign(lodemap, { many, manyLayers: layers });
})();
