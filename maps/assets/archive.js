/* Archives of vector tiles (PMTiles 3, MVT 2), read in parts from the host of the page. */
(() => {
  'use strict';

  const HEAD = 16_384;
  const MOST_KEPT = 256;

  /** Numbers of a protocol buffer, one after the other. */
  class Reader {
    constructor(bytes, at = 0, end = bytes.length) { Object.assign(this, { bytes, at, end }); }

    varint() {
      let [value, place] = [0, 1];
      for (;;) {
        if (this.at >= this.end) throw new Error('cut short');
        const byte = this.bytes[this.at];
        this.at += 1;
        value += (byte & 127) * place;
        if (byte < 128) return value;
        place *= 128;
      }
    }

    /** The next field: [number, wire type]; null at the end. */
    field() {
      if (this.at >= this.end) return null;
      const key = this.varint();
      return [Math.floor(key / 8), key & 7];
    }

    /** A reader over the bytes of a field of that kind. */
    part() {
      const size = this.varint();
      const part = new Reader(this.bytes, this.at, this.at + size);
      if (part.end > this.end) throw new Error('cut short');
      this.at = part.end;
      return part;
    }

    skip(wire) {
      if (wire === 0) this.varint();
      else if (wire === 2) this.part();
      else if (wire === 1) this.at += 8;
      else if (wire === 5) this.at += 4;
      else throw new Error('unknown field');
    }
  }

  const zigzag = (value) => (value % 2 ? -(value + 1) / 2 : value / 2);

  async function unpacked(bytes, packing) {
    if (packing === 1) return bytes;
    if (packing !== 2) throw new Error('unknown packing');
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  /** Entries of a directory: ids, run lengths, lengths and offsets. */
  function directory(bytes) {
    const reader = new Reader(bytes);
    const count = reader.varint();
    if (count > bytes.length) throw new Error('cut short');
    const [id, run, size, offset] = [0, 0, 0, 0].map(() => new Float64Array(count));
    let last = 0;
    for (let i = 0; i < count; i += 1) { last += reader.varint(); id[i] = last; }
    for (let i = 0; i < count; i += 1) run[i] = reader.varint();
    for (let i = 0; i < count; i += 1) size[i] = reader.varint();
    for (let i = 0; i < count; i += 1) {
      const value = reader.varint();
      offset[i] = value === 0 && i ? offset[i - 1] + size[i - 1] : value - 1;
    }
    return { id, run, size, offset };
  }

  /** Last entry whose id is not above one; -1 if there is none. */
  function search(ids, wanted) {
    let [low, high] = [0, ids.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (ids[middle] <= wanted) low = middle + 1;
      else high = middle - 1;
    }
    return high;
  }

  /** Number of a tile on the Hilbert curves of all zooms. */
  function tileId(zoom, column, row) {
    let id = (4 ** zoom - 1) / 3;
    let [x, y] = [column, row];
    for (let side = 2 ** (zoom - 1); side >= 1; side /= 2) {
      const right = x & side ? 1 : 0;
      const down = y & side ? 1 : 0;
      id += side * side * ((3 * right) ^ down);
      if (!down) {
        if (right) { x = side - 1 - (x & (side - 1)); y = side - 1 - (y & (side - 1)); }
        [x, y] = [y, x];
      }
      x &= side - 1;
      y &= side - 1;
    }
    return id;
  }

  /** The points of a tile's first layer, in steps across the world, with their texts. */
  function points(bytes, column, row) {
    const found = { x: [], y: [], tags: [], keys: [], values: [], extent: 4096, layer: null };
    const tile = new Reader(bytes);
    let field = tile.field();
    while (field && field[0] !== 3) { tile.skip(field[1]); field = tile.field(); }
    if (!field) return found;
    const layer = tile.part();
    const features = [];
    for (let f = layer.field(); f; f = layer.field()) {
      if (f[0] === 2) features.push(layer.part());
      else if (f[0] === 3) found.keys.push(text(layer.part()));
      else if (f[0] === 4) found.values.push(value(layer.part()));
      else if (f[0] === 5) found.extent = layer.varint();
      else layer.skip(f[1]);
    }
    const { extent } = found;
    features.forEach((feature) => {
      let [tags, geometry] = [null, null];
      for (let f = feature.field(); f; f = feature.field()) {
        if (f[0] === 2) tags = feature.part();
        else if (f[0] === 4) geometry = feature.part();
        else feature.skip(f[1]);
      }
      if (!geometry) return;
      let [x, y] = [0, 0];
      const count = Math.floor(geometry.varint() / 8);
      for (let i = 0; i < count; i += 1) {
        x += zigzag(geometry.varint());
        y += zigzag(geometry.varint());
        // What lies in the margin stands in the tile beside it too.
        if (x >= 0 && x < extent && y >= 0 && y < extent) {
          found.x.push(column * extent + x);
          found.y.push(row * extent + y);
          found.tags.push(tags);
        }
      }
    });
    return found;
  }

  const decoder = new TextDecoder();
  const text = (part) => decoder.decode(part.bytes.subarray(part.at, part.end));

  /** A value of a tile: text, number or truth. */
  function value(part) {
    const [number, wire] = part.field() || [0, 0];
    const view = new DataView(part.bytes.buffer, part.bytes.byteOffset);
    if (number === 1) return text(part.part());
    if (number === 2 && wire === 5) return view.getFloat32(part.at, true);
    if (number === 3 && wire === 1) return view.getFloat64(part.at, true);
    if (number === 6) return zigzag(part.varint());
    if (number === 7) return part.varint() !== 0;
    if (number === 4) return signed(part);
    return number === 5 ? part.varint() : '';
  }

  /** A number of 64 bits in two's complement. */
  function signed(part) {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = part.bytes[part.at];
      part.at += 1;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, value));
      shift += 7n;
    }
  }

  /** A feature's attributes as a map; made when it is asked for. */
  function attributes({ tags, keys, values }, i) {
    const found = new Map();
    if (!tags[i]) return found;
    const reader = new Reader(tags[i].bytes, tags[i].at, tags[i].end);
    while (reader.at < reader.end) {
      const key = keys[reader.varint()];
      found.set(key, values[reader.varint()]);
    }
    return found;
  }

  /** The class of each feature of a tile, from the attribute that holds it; made once. */
  function classes(part, name) {
    if (!part.classes) {
      const wanted = part.keys.indexOf(name);
      part.classes = Uint8Array.from(part.tags, (tags) => {
        if (!tags) return 0;
        const reader = new Reader(tags.bytes, tags.at, tags.end);
        while (reader.at < reader.end) {
          const [key, value] = [reader.varint(), reader.varint()];
          if (key === wanted) return part.values[value];
        }
        return 0;
      });
    }
    return part.classes;
  }

  /** An archive beside the page. Tiles that were looked at are kept for a while. */
  class Archive {
    constructor(url) { Object.assign(this, { url, kept: new Map(), leaves: new Map() }); }

    async bytes(from, size) {
      const answer = await fetch(this.url, { headers: { Range: `bytes=${from}-${from + size - 1}` } });
      if (answer.status !== 206) throw new Error('the host does not send parts of a file');
      return new Uint8Array(await answer.arrayBuffer());
    }

    /** Read the head once. */
    open() {
      this.opened ||= (async () => {
        const bytes = await this.bytes(0, HEAD);
        const head = new DataView(bytes.buffer);
        if (decoder.decode(bytes.subarray(0, 7)) !== 'PMTiles' || bytes[7] !== 3) {
          throw new Error('not an archive of tiles');
        }
        const whole = (at) => Number(head.getBigUint64(at, true));
        [this.packing, this.tilePacking] = [bytes[97], bytes[98]];
        [this.leafStart, this.dataStart] = [whole(40), whole(56)];
        const [from, size] = [whole(8), whole(16)];
        const root = from + size <= bytes.length ? bytes.subarray(from, from + size)
          : await this.bytes(from, size);
        this.root = directory(await unpacked(root, this.packing));
      })();
      return this.opened;
    }

    /** Where a tile lies: [offset, size]; null where there is none. */
    async find(id) {
      let entries = this.root;
      for (let depth = 0; depth < 4; depth += 1) {
        const i = search(entries.id, id);
        if (i < 0) return null;
        if (entries.run[i] > 0) {
          return id < entries.id[i] + entries.run[i]
            ? [this.dataStart + entries.offset[i], entries.size[i]] : null;
        }
        const from = this.leafStart + entries.offset[i];
        if (!this.leaves.has(from)) {
          this.leaves.set(from, this.bytes(from, entries.size[i])
            .then((bytes) => unpacked(bytes, this.packing)).then(directory));
        }
        entries = await this.leaves.get(from);
      }
      return null;
    }

    /** The points of a tile; none where there is no such tile. */
    tile(zoom, column, row) {
      const key = `${zoom}/${column}/${row}`;
      const had = this.kept.get(key);
      const reading = had || (async () => {
        await this.open();
        const place = await this.find(tileId(zoom, column, row));
        if (!place) return null;
        return points(await unpacked(await this.bytes(...place), this.tilePacking), column, row);
      })();
      this.kept.delete(key);
      this.kept.set(key, reading);
      if (!had) reading.catch(() => this.kept.delete(key));
      if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value);
      return reading;
    }
  }

  Object.assign(lodemap, { Archive, tileAttributes: attributes, tileClasses: classes });
})();
