/* Small added layers: their marks answer the same filter and list as what is on a canvas. */
(() => {
  'use strict';

  const { marks } = lodemap;

  class Few {
    constructor(id, data) {
      Object.assign(this, { id, data, key: data.mark, total: data.total, columns: new Map(),
        listeners: [], filter: null });
      this.marks = Array.from({ length: data.total }, (_, i) => marks.get(`${data.marks}/${i}`));
      this.kinds = [...new Set(this.marks.map((mark) => mark.mark))];
      const within = (windows, most, wanted) => {
        const found = [];
        for (let i = 0; i < this.total && found.length < most; i += 1) {
          const there = !wanted || wanted[i];
          if (there && windows.some((box) => box.intersects(this.marks[i].bounds))) found.push(i);
        }
        return found;
      };
      this.shape = { placed: data.total, within,
        count: (windows, wanted) => within(windows, Infinity, wanted).length };
    }

    get shown() { return this.kinds.some(lodemap.shown); }

    /** Which marks are wanted: those that pass the filter, in classes that are on. */
    get wanted() {
      if (!this.filter && this.kinds.every(lodemap.shown)) return null;
      return Uint8Array.from(this.marks, ({ mark }, i) => (
        (!this.filter || this.filter[i]) && lodemap.shown(mark) ? 1 : 0));
    }

    windows() { return [lodemap.map().getBounds()]; }

    /** A column by its name; null where the layer has no such column. */
    column(name) {
      const packed = this.data.columns.find((one) => one.name === name);
      if (!packed) return Promise.resolve(null);
      if (!this.columns.has(name)) {
        this.columns.set(name, lodemap.packed.read(this.id, packed, this.total)
          .then((column) => ({ ...column, packed })));
      }
      return this.columns.get(name);
    }

    /** Take off the map what does not pass the filter, and put back what does. */
    choose() { lodemap.sift(this.marks.map((mark, i) => [mark, Boolean(this.filter && !this.filter[i])])); }

    titleOf(i) { return lodemap.nameOf(this.marks[i]); }

    open(i, options) { lodemap.select(this.marks[i].key, options); }
  }

  /** Take the table of a layer whose marks are there, described by the JSON in that element. */
  lodemap.few = (id) => {
    const layer = new Few(id, JSON.parse(document.getElementById(id).textContent));
    lodemap.toolMany(layer);
    lodemap.whenPlaced(() => layer.listeners.forEach((act) => act()));
  };
})();
