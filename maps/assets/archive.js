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

  /** The first layer of a tile: its features as readers, its keys, values and extent. */
  function layerOf(bytes) {
    const found = { features: [], keys: [], values: [], extent: 4096 };
    const tile = new Reader(bytes);
    let field = tile.field();
    while (field && field[0] !== 3) { tile.skip(field[1]); field = tile.field(); }
    if (!field) return found;
    const layer = tile.part();
    for (let f = layer.field(); f; f = layer.field()) {
      if (f[0] === 2) found.features.push(layer.part());
      else if (f[0] === 3) found.keys.push(text(layer.part()));
      else if (f[0] === 4) found.values.push(value(layer.part()));
      else if (f[0] === 5) found.extent = layer.varint();
      else layer.skip(f[1]);
    }
    return found;
  }

  /** Kind, tags and geometry of a feature. */
  function parts(feature) {
    let [kind, tags, geometry] = [0, null, null];
    for (let f = feature.field(); f; f = feature.field()) {
      if (f[0] === 2) tags = feature.part();
      else if (f[0] === 3) kind = feature.varint();
      else if (f[0] === 4) geometry = feature.part();
      else feature.skip(f[1]);
    }
    return [kind, tags, geometry];
  }

  /** The points of a tile, in steps across the world, with their texts. */
  function points(bytes, column, row) {
    const { features, ...rest } = layerOf(bytes);
    const found = { x: [], y: [], tags: [], ...rest };
    const { extent } = found;
    features.forEach((feature) => {
      const [, tags, geometry] = parts(feature);
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

  /** Paths of a geometry, each [x, y, x, y, …]; points all in one. */
  function paths(geometry, kind) {
    const found = [];
    let [x, y, path] = [0, 0, null];
    while (geometry.at < geometry.end) {
      const order = geometry.varint();
      const [act, count] = [order & 7, Math.floor(order / 8)];
      for (let i = 0; act !== 7 && i < count; i += 1) {
        x += zigzag(geometry.varint());
        y += zigzag(geometry.varint());
        if (act === 1 && (kind !== 1 || !path)) { path = []; found.push(path); }
        if (!path) throw new Error('cut short');
        path.push(x, y);
      }
    }
    return found;
  }

  /** A line without what lies beyond a side of the tile: pieces of it. */
  function trimmed(line, axis, sign, limit) {
    const found = [];
    let piece = [];
    const far = (k) => sign * (line[k + axis] - limit);
    for (let k = 0; k < line.length; k += 2) {
      if (k && far(k) > 0 !== far(k - 2) > 0) {
        const share = far(k - 2) / (far(k - 2) - far(k));
        const at = [0, 1].map((j) => Math.round(line[k - 2 + j] + share * (line[k + j] - line[k - 2 + j])));
        at[axis] = limit;
        piece.push(...at);
      }
      if (far(k) <= 0) piece.push(line[k], line[k + 1]);
      else if (piece.length) { found.push(piece); piece = []; }
    }
    found.push(piece);
    return found.filter((one) => one.some((v, k) => k > 1 && v !== one[k - 2]));
  }

  /**
   * A ring without what lies beyond a side of the tile (Sutherland and Hodgman's way).
   * `cut[i]` says that the edge to vertex i runs along a side, and is none of the area's.
   */
  function clipped({ ring, cut }, axis, sign, limit) {
    const out = { ring: [], cut: [] };
    const far = (k) => sign * (ring[k + axis] - limit);
    const add = (x, y, edge) => { out.ring.push(x, y); out.cut.push(edge); };
    for (let k = 0; k < ring.length; k += 2) {
      const last = k ? k - 2 : ring.length - 2;
      const inside = far(k) <= 0;
      if (inside !== far(last) <= 0) {
        const share = far(last) / (far(last) - far(k));
        const at = [0, 1].map((j) => Math.round(ring[last + j] + share * (ring[k + j] - ring[last + j])));
        at[axis] = limit;
        add(...at, inside ? 1 : cut[k / 2]);
      }
      if (inside) add(ring[k], ring[k + 1], cut[k / 2]);
    }
    return out;
  }

  /** Twice the signed area of a ring. */
  function area(ring) {
    let sum = 0;
    for (let k = 0; k < ring.length; k += 2) {
      const last = k ? k - 2 : ring.length - 2;
      sum += ring[last] * ring[k + 1] - ring[k] * ring[last + 1];
    }
    return sum;
  }

  /** The other way round, as the page has its rings; the first vertex stays the first. */
  function turned({ ring, cut }) {
    const count = cut.length;
    const out = { ring: new Array(2 * count), cut: new Array(count) };
    for (let i = 0; i < count; i += 1) {
      const from = (count - i) % count;
      [out.ring[2 * i], out.ring[2 * i + 1]] = [ring[2 * from], ring[2 * from + 1]];
      out.cut[i] = cut[(from + 1) % count];
    }
    return out;
  }

  /** Whether all of a path lies within its tile, its sides included. */
  const within = (path, extent) => path.every((v) => v >= 0 && v <= extent);

  const SIDES = (extent) => [[0, -1, 0], [0, 1, extent], [1, -1, 0], [1, 1, extent]];

  /** What of a path of a kind lies in its tile, as rings with their cuts. */
  function inTile(path, kind, extent, edges) {
    if (kind === 1) {
      const kept = [];
      for (let k = 0; k < path.length; k += 2) {
        const [x, y] = [path[k], path[k + 1]];
        if (x >= 0 && x < extent && y >= 0 && y < extent) kept.push(x, y);
      }
      return kept.length ? [{ ring: kept, cut: null }] : [];
    }
    const whole = within(path, extent);
    if (kind === 2) {
      let lines = [path];
      if (!whole) SIDES(extent).forEach((side) => { lines = lines.flatMap((line) => trimmed(line, ...side)); });
      return lines.map((ring) => ({ ring, cut: null }));
    }
    let found = { ring: path, cut: new Array(path.length / 2).fill(0) };
    if (!whole) {
      SIDES(extent).forEach((side) => { found = clipped(found, ...side); });
      if (!area(found.ring)) return [];
    }
    // Areas over the antimeridian are cut there: that is no edge of theirs.
    edges.forEach((x) => found.cut.forEach((_, i) => {
      const last = i ? i - 1 : found.cut.length - 1;
      if (found.ring[2 * i] === x && found.ring[2 * last] === x) found.cut[i] = 1;
    }));
    return [turned(found)];
  }

  /** Pieces of the features in a tile: kind, row and rings of each, in steps of the world. */
  function pieces(bytes, column, row, { zoom, name }) {
    const { features, ...found } = layerOf(bytes);
    const { extent, keys, values } = found;
    const wanted = keys.indexOf(name);
    const edges = [...(column === 0 ? [0] : []), ...(column === 2 ** zoom - 1 ? [extent] : [])];
    Object.assign(found, { tags: [], kinds: [], rows: [], rings: [] });
    features.forEach((feature) => {
      const [kind, tags, geometry] = parts(feature);
      if (!geometry || !tags || kind < 1 || kind > 3) return;
      const rings = paths(geometry, kind).flatMap((path) => inTile(path, kind, extent, edges));
      if (!rings.length) return;
      rings.forEach(({ ring }) => {
        for (let k = 0; k < ring.length; k += 2) {
          ring[k] += column * extent;
          ring[k + 1] += row * extent;
        }
      });
      found.tags.push(tags);
      found.kinds.push(kind);
      found.rings.push(rings);
      found.rows.push(tagged(tags, wanted, values) ?? -1);
    });
    return found;
  }

  /** Value of one key of a feature. */
  function tagged(tags, wanted, values) {
    const reader = new Reader(tags.bytes, tags.at, tags.end);
    while (reader.at < reader.end) {
      const [key, place] = [reader.varint(), reader.varint()];
      if (key === wanted) return values[place];
    }
    return undefined;
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
      part.classes = Uint8Array.from(part.tags, (tags) => (tags && tagged(tags, wanted, part.values)) || 0);
    }
    return part.classes;
  }

  /** CRC-32 of bytes, as gzip has it. */
  function checksum(bytes) {
    let sum = -1;
    for (const byte of bytes) {
      sum ^= byte;
      for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xEDB88320 : 0);
    }
    return ~sum >>> 0;
  }

  /**
   * An archive beside the page, which says its file, size and the checksum of its head. Tiles
   * that were looked at are kept for a while. `row` names the attribute with the row of a
   * feature, where tiles hold pieces of lines and areas.
   */
  class Archive {
    constructor(said, row = '') {
      Object.assign(this, { said, row, kept: new Map(), leaves: new Map() });
    }

    async bytes(from, size) {
      const answer = await fetch(encodeURIComponent(this.said.file), {
        headers: { Range: `bytes=${from}-${from + size - 1}` },
      });
      if (answer.status !== 206) throw new Error('the host does not send parts of a file');
      return new Uint8Array(await answer.arrayBuffer());
    }

    /** A packed text that stands somewhere in it. */
    async text(from, size) {
      await this.open();
      return decoder.decode(await unpacked(await this.bytes(from, size), 2));
    }

    /** Read the head once. */
    open() {
      this.opened ||= (async () => {
        const bytes = await this.bytes(0, HEAD);
        const head = new DataView(bytes.buffer);
        if (decoder.decode(bytes.subarray(0, 7)) !== 'PMTiles' || bytes[7] !== 3) {
          throw new Error('not an archive of tiles');
        }
        if (checksum(bytes) !== this.said.head) {
          throw new Error('it is not the archive that this page was made with');
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

    /** The points of a tile, or pieces of its shapes; none where there is no such tile. */
    tile(zoom, column, row) {
      const key = `${zoom}/${column}/${row}`;
      const had = this.kept.get(key);
      const reading = had || (async () => {
        await this.open();
        const place = await this.find(tileId(zoom, column, row));
        if (!place) return null;
        const bytes = await unpacked(await this.bytes(...place), this.tilePacking);
        return this.row ? pieces(bytes, column, row, { zoom, name: this.row }) : points(bytes, column, row);
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
