/* Lines and areas that tiles have cut, put together again: one feature for each row. */
(() => {
  'use strict';

  /** Where each group starts, and the end of the last. */
  function sums(sizes) {
    const out = new Uint32Array(sizes.length + 1);
    sizes.forEach((size, i) => { out[i + 1] = out[i] + size; });
    return out;
  }

  /** Middle of a ring along the world. */
  function middle({ ring }) {
    let [least, most] = [Infinity, -Infinity];
    for (let k = 0; k < ring.length; k += 2) {
      least = Math.min(least, ring[k]);
      most = Math.max(most, ring[k]);
    }
    return (least + most) / 2;
  }

  /** Let rings in the east stand before those in the west where a feature has both. */
  function runOn(rings, around) {
    const middles = rings.map(middle);
    if (Math.max(...middles) - Math.min(...middles) <= around / 2) return rings;
    return rings.map((one, i) => (middles[i] <= around / 2 ? one
      : { ...one, ring: one.ring.map((v, k) => (k % 2 ? v : v - around)) }));
  }

  /**
   * Features of several tiles: what `manyShape` takes, the row of each, and where its
   * attributes are, as number of the tile and place in it.
   */
  async function joinPieces(parts, zoom) {
    const byRow = new Map();
    const [rows, kinds, owners, rings] = [[], [], [], []];
    for (const [at, part] of parts.entries()) {
      part.rows.forEach((row, f) => {
        const had = byRow.get(row);
        if (had !== undefined) { rings[had] = rings[had].concat(part.rings[f]); return; }
        byRow.set(row, rows.length);
        rows.push(row);
        kinds.push(part.kinds[f]);
        owners.push([at, f]);
        rings.push(part.rings[f]);
      });
      const pause = lodemap.packed.breathe();
      if (pause) await pause;
    }
    const extent = parts.length ? parts[0].extent : 4096;
    const around = extent * 2 ** zoom;
    const ringAt = sums(rings.map((own) => own.length));
    const lengths = new Uint32Array(ringAt[rings.length]);
    rings.forEach((own, i) => own.forEach(({ ring }, r) => { lengths[ringAt[i] + r] = ring.length / 2; }));
    const vertexAt = sums(lengths);
    const count = vertexAt[lengths.length];
    const [x, y, cut] = [new Int32Array(count), new Int32Array(count), new Uint8Array(count)];
    await lodemap.packed.sliced(rows.length, (from, to) => {
      for (let i = from; i < to; i += 1) {
        const own = rings[i].length > 1 ? runOn(rings[i], around) : rings[i];
        own.forEach(({ ring, cut: edges }, r) => {
          let v = vertexAt[ringAt[i] + r];
          for (let k = 0; k < ring.length; k += 2, v += 1) {
            x[v] = ring[k];
            y[v] = ring[k + 1];
            if (edges) cut[v] = edges[k / 2];
          }
        });
      }
    });
    return { owners, rows, byRow, packed: {
      placed: rows.length, features: rows.length, x, y, kinds: Uint8Array.from(kinds), ringAt, vertexAt,
      cut, step: 1 / around, west: 0, north: 0,
    } };
  }

  lodemap.joinPieces = joinPieces;
})();
