/* Layers in an archive of tiles beside the page: counts in squares from far away, all features
 * in view from near. */
(() => {
  'use strict';

  const MOST_TILES = 80;
  const MARGIN = 0.2;
  const CLOSER = 3;
  const NEAREST = 18;

  /** A layer that reads what is in view, on top of the class of layers read at once. */
  lodemap.tiled = (Many) => class Tiled extends Many {
    constructor(id, data) {
      super(id, data);
      this.archive = new lodemap.Archive(data.tiles.archive, data.tiles.simple ? '' : data.tiles.row);
      this.near = false;
      this.missing = null;
      this.indexes = new Map();
      this.found = new Map();
    }

    /** Read the counts; tiles wait until somebody looks closely. */
    async load() {
      const { tiles } = this.data;
      try {
        this.far = await lodemap.packed.shapes(this.id, tiles.density);
        const count = tiles.density.placed;
        this.far.weights = await lodemap.packed.numbers(this.id, tiles.counts, count);
        this.far.places = await lodemap.packed.numbers(this.id, tiles.places, count);
      } catch {
        this.fail();
        return;
      }
      this.show(this.far, this.far.places, null);
      await this.choose();
      document.documentElement.dataset.many = String(Math.round(performance.now()));
      lodemap.map().on('moveend', () => this.look());
      await this.look();
    }

    /** Draw this shape from now on. */
    show(shape, places, tiles, joined = null) {
      this.shape = shape;
      this.joined = joined;
      this.places = this.data.classes ? places : null;
      this.parts = tiles;
      this.near = Boolean(tiles);
      this.columns.clear();
      this.indexes.clear();
    }

    /** Squares of counts or tiles of points, whichever the zoom asks for. */
    look() {
      const map = lodemap.map();
      const { zoom } = this.data.tiles;
      const wanted = map.getZoom() >= zoom && this.shown ? this.inView(zoom) : null;
      const key = wanted && wanted.length <= MOST_TILES ? wanted.map((t) => t.join('/')).join() : '';
      if (key !== this.looked) {
        this.looked = key;
        this.looking = this.take(key, wanted);
      }
      return this.looking;
    }

    /** Draw the tiles of that key, or squares of counts without one. */
    async take(key, wanted) {
      if (!key) {
        if (this.near) {
          this.show(this.far, this.far.places, null);
          await this.choose();
        }
        return;
      }
      let parts;
      try {
        parts = (await Promise.all(wanted.map((tile) => this.archive.tile(...tile)))).filter(Boolean);
      } catch (error) {
        this.excuse(error);
        return;
      }
      if (key !== this.looked) return;
      const [shape, places, joined] = await (this.data.tiles.simple ? this.join(parts) : this.joinPieces(parts));
      if (key !== this.looked) return;
      this.missing = null;
      this.show(shape, places, parts, joined);
      await this.choose();
    }

    /** Say why there are no tiles. */
    excuse(error) {
      this.looked = null;
      const file = window.location.protocol === 'file:';
      const { t } = lodemap;
      const name = this.data.tiles.archive.file;
      const barred = window.origin === 'null';
      this.missing = () => (barred && !file
        ? t('{0} cannot be read in a frame without an origin: let its sandbox have allow-same-origin, or open the page by itself', name)
        : file ? t('{0} cannot be read from a file: put both on a host, or use lodemap preview', name)
        : t('{0} cannot be read ({1})', name, t(error.message)));
      lodemap.announce(t('The layer {0} shows counts only: {1}', this.data.layer, this.missing()));
      this.tell();
    }

    /** Tiles over what is in view, as [zoom, column, row]. */
    inView(zoom) {
      const box = lodemap.map().getBounds().pad(MARGIN);
      const side = 2 ** zoom;
      const place = ([lon, lat]) => {
        const sine = Math.sin(Math.max(-85.05, Math.min(85.05, lat)) * Math.PI / 180);
        return [(lon / 360 + 0.5) * side, (0.5 - Math.atanh(sine) / (2 * Math.PI)) * side];
      };
      const [west, north] = place([box.getWest(), box.getNorth()]).map(Math.floor);
      const [east, south] = place([box.getEast(), box.getSouth()]).map(Math.floor);
      const found = new Map();
      for (let y = Math.max(north, 0); y <= Math.min(south, side - 1); y += 1) {
        for (let x = west; x <= east && x < west + side; x += 1) {
          const tile = [zoom, ((x % side) + side) % side, y];
          found.set(tile.join('/'), tile);
          if (found.size > MOST_TILES) return [...found.values()];
        }
      }
      return [...found.values()];
    }

    /** One shape of the points of several tiles, and the class of each. */
    async join(parts) {
      const count = parts.reduce((sum, part) => sum + part.x.length, 0);
      const [x, y] = [new Int32Array(count), new Int32Array(count)];
      const places = new Uint8Array(count);
      const extent = parts.length ? parts[0].extent : 4096;
      let at = 0;
      for (const part of parts) {
        x.set(part.x, at);
        y.set(part.y, at);
        part.at = at;
        if (this.data.tiles.class) places.set(lodemap.tileClasses(part, this.data.tiles.class), at);
        at += part.x.length;
        const pause = lodemap.packed.breathe();
        if (pause) await pause;
      }
      const shape = await lodemap.manyShape({
        placed: count, features: count, x, y, kinds: new Uint8Array(count).fill(1), ringAt: null,
        vertexAt: null, step: 1 / (extent * 2 ** this.data.tiles.zoom), west: 0, north: 0,
      });
      return [shape, places];
    }

    /** One shape of the pieces in several tiles, the class of each feature, and whose it is. */
    async joinPieces(parts) {
      const { zoom, class: name } = this.data.tiles;
      const { packed, ...joined } = await lodemap.joinPieces(parts, zoom);
      const places = new Uint8Array(packed.placed);
      if (name) joined.owners.forEach(([at, f], i) => { places[i] = lodemap.tileClasses(parts[at], name)[f]; });
      return [await lodemap.manyShape(packed), places, joined];
    }

    /** Attributes of a feature in view. */
    attributes(i) {
      if (this.joined) {
        const [at, f] = this.joined.owners[i];
        return lodemap.tileAttributes(this.parts[at], f);
      }
      const part = this.parts.find((one) => i >= one.at && i < one.at + one.x.length);
      return part ? lodemap.tileAttributes(part, i - part.at) : new Map();
    }

    /** A column, read from the tiles as it is asked for; none from far away. */
    column(name) {
      if (!this.near || !this.data.columns.some((one) => one.name === name)) return Promise.resolve(null);
      return Promise.resolve({ at: (i) => {
        const value = this.attributes(i).get(name);
        if (value === undefined) return '';
        return typeof value === 'number' ? lodemap.packed.written(value) : String(value);
      } });
    }

    /** Number of a feature's row, which stays when other tiles are read. */
    rowOf(i) {
      if (!this.near) return i;
      if (this.joined) return this.joined.rows[i];
      const row = this.attributes(i).get(this.data.tiles.row) ?? i;
      this.indexes.set(row, i);
      return row;
    }

    /** Where a row stands now; -1 if it is out of view, or was never asked for. */
    indexOf(row) { return (this.joined ? this.joined.byRow : this.indexes).get(row) ?? -1; }

    /** Names in which a word begins so, in all of the layer. */
    async find(wanted, most) {
      this.names ||= new lodemap.Names(this.archive, this.data.tiles.names);
      try {
        const found = await this.names.find(wanted, most);
        return found.map(({ row, at, name, score }) => {
          const key = `${this.key.replace(':', '-')}/m${row}`;
          this.found.set(key, { row, at });
          return { layer: this, key, score, title: { text: name, lang: '' } };
        });
      } catch (error) {
        this.excuse(error);
        return [];
      }
    }

    /** Go to a feature that was found, so that it is among those in view. */
    async goTo({ row, at: [lon, lat] }) {
      const map = lodemap.map();
      if (!this.shown) lodemap.show(this.key, true);
      const zoom = Math.min(NEAREST, Math.max(map.getZoom(), this.data.tiles.zoom + CLOSER));
      lodemap.touch();
      map.setView([lat, lon], zoom, { animate: false });
      await this.look();
      if (!this.near || this.joined) return;
      for (let i = 0; i < this.shape.placed && !this.indexes.has(row); i += 1) {
        this.rowOf(i);
        const pause = lodemap.packed.breathe();
        if (pause) await pause;
      }
    }

    /** Nothing can be pointed at where only counts are drawn. */
    at(point, most) { return this.near ? super.at(point, most) : []; }

    readAhead() {}
  };

  const { select } = lodemap;

  /** Open a card; of a feature that search has found far away, once its tiles are read. */
  lodemap.select = (key, options) => {
    const layer = [...lodemap.manyLayers.values()].find((one) => one.found?.has(key));
    const place = layer?.found.get(key);
    if (!place || layer.indexOf(place.row) >= 0) return select(key, options);
    layer.goTo(place).then(() => {
      if (layer.indexOf(place.row) >= 0) select(key, options);
    });
    return true;
  };
})();
