/* Packed columns of a large layer: read in slices, so that the page never stands still. */
(() => {
  'use strict';

  const SLICE_MS = 9;
  const FIRST_MS = 200; // before there is a picture, it goes before the reading of the page
  const CHUNK = 1 << 19;
  const STEP = 1 << 16;
  const channel = new MessageChannel();
  const waiting = [];
  let began = performance.now();

  channel.port1.onmessage = () => {
    began = performance.now();
    waiting.shift()();
  };

  /** Wait for the page's other work, if this turn has lasted long enough. */
  function breathe() {
    const spent = performance.now() - began;
    if (spent < SLICE_MS || (spent < FIRST_MS && !document.documentElement.dataset.many)) return null;
    return new Promise((resolve) => {
      waiting.push(resolve);
      channel.port2.postMessage(0);
    });
  }

  const fromBase64 = Uint8Array.fromBase64 ? (text) => Uint8Array.fromBase64(text)
    : (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

  /** The element of a block once all of it is there: data come after the page's scripts, and
   * the first of them are drawn while the last are still read. Fails where there is none. */
  async function arrived(id) {
    for (;;) {
      const whole = document.readyState !== 'loading';
      const el = document.getElementById(id);
      if (el && (whole || el.nextSibling)) return el;
      if (whole) throw new Error(`no block ${id}`);
      await grown();
      began = performance.now();
    }
  }

  /** Wait until the document has more in it, or is whole. */
  function grown() {
    return new Promise((resolve) => {
      const watch = new MutationObserver(done);
      function done() {
        watch.disconnect();
        document.removeEventListener('readystatechange', done);
        resolve();
      }
      watch.observe(document.body, { childList: true });
      document.addEventListener('readystatechange', done);
    });
  }

  /** Bytes of a block; the element is gone afterwards. Fails where they are damaged. */
  async function bytes(id, [place, size]) {
    const el = await arrived(`${id}-${place}`);
    const text = el.textContent;
    el.remove();
    const stream = new DecompressionStream('gzip');
    const out = new Uint8Array(size);
    const reading = (async () => {
      const reader = stream.readable.getReader();
      let at = 0;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        out.set(value, at);
        at += value.length;
      }
      if (at !== size) throw new Error('too short');
    })();
    const writer = stream.writable.getWriter();
    const writing = (async () => {
      for (let i = 0; i < text.length; i += CHUNK) {
        await breathe();
        await writer.write(fromBase64(text.slice(i, i + CHUNK)));
      }
      await writer.close();
    })();
    await Promise.all([reading, writing]);
    return out;
  }

  /** Do `work(from, to)` for all of `count`, in slices. */
  async function sliced(count, work) {
    for (let i = 0; i < count; i += STEP) {
      work(i, Math.min(count, i + STEP));
      const pause = breathe();
      if (pause) await pause;
    }
  }

  /** Whole numbers of 0 to 2³² − 1 from planes of bytes. */
  async function numbers(id, packed, count) {
    const out = packed.width === 1 || packed.all < 256 ? new Uint8Array(count)
      : new Uint32Array(count);
    if ('all' in packed) return out.fill(packed.all);
    const raw = await bytes(id, packed.block);
    if (packed.width === 1) return raw;
    await sliced(count, (from, to) => {
      for (let i = from; i < to; i += 1) out[i] = raw[i];
      for (let p = 1; p < packed.width; p += 1) {
        const plane = raw.subarray(p * count, (p + 1) * count);
        for (let i = from; i < to; i += 1) out[i] |= plane[i] << (8 * p);
      }
    });
    return out;
  }

  /** Undo the zig-zag of differences, in place; modulo 2³². */
  async function undo(values) {
    const out = new Int32Array(values.length);
    let sum = 0;
    await sliced(values.length, (from, to) => {
      for (let i = from; i < to; i += 1) {
        const value = values[i];
        sum = (sum + ((value >>> 1) ^ -(value & 1))) | 0;
        out[i] = sum;
      }
    });
    return out;
  }

  /** The four planes of bytes of whole numbers; one of zeros where there are fewer. */
  async function planes(id, packed, count) {
    const none = new Uint8Array(count);
    if ('all' in packed) {
      return [0, 8, 16, 24].map((shift) => {
        const byte = (packed.all >>> shift) & 255;
        return byte ? new Uint8Array(count).fill(byte) : none;
      });
    }
    const raw = await bytes(id, packed.block);
    return [0, 1, 2, 3].map((p) =>
      (p < packed.width ? raw.subarray(p * count, (p + 1) * count) : none));
  }

  /** Whole numbers whose differences were packed: planes and steps in one pass. */
  async function walked(id, packed, count) {
    const [a, b, c, d] = await planes(id, packed, count);
    const out = new Int32Array(count);
    let sum = 0;
    await sliced(count, (from, to) => {
      sum = walk(out, a, b, c, d, sum, from, to);
    });
    return out;
  }

  /** Walk from a number, by the zig-zag of differences in four planes. */
  function walk(out, a, b, c, d, start, from, to) {
    let at = start;
    for (let i = from; i < to; i += 1) {
      const value = a[i] | (b[i] << 8) | (c[i] << 16) | (d[i] << 24);
      at = (at + ((value >>> 1) ^ -(value & 1))) | 0;
      out[i] = at;
    }
    return at;
  }

  /** The same where each feature starts from the corner of its own box. */
  async function walkedFrom(id, packed, boxes, corner, ringAt, vertexAt) {
    const count = vertexAt[vertexAt.length - 1];
    const [a, b, c, d] = await planes(id, packed, count);
    const out = new Int32Array(count);
    const features = ringAt.length - 1;
    for (let i = 0; i < features;) {
      const end = vertexAt[ringAt[i]] + STEP;
      while (i < features && vertexAt[ringAt[i]] < end) {
        walk(out, a, b, c, d, boxes[4 * i + corner], vertexAt[ringAt[i]], vertexAt[ringAt[i + 1]]);
        i += 1;
      }
      const pause = breathe();
      if (pause) await pause;
    }
    return out;
  }

  /** The numbers of a column, NaN where there is none. */
  async function floats(id, column, count) {
    const out = new Float64Array(count);
    if (column.float) {
      const raw = await bytes(id, column.block);
      const width = column.float;
      const one = new DataView(new ArrayBuffer(8));
      await sliced(count, (from, to) => {
        for (let i = from; i < to; i += 1) {
          for (let p = 0; p < width; p += 1) one.setUint8(p, raw[p * count + i]);
          out[i] = width === 4 ? one.getFloat32(0, true) : one.getFloat64(0, true);
        }
      });
    } else {
      let whole = await numbers(id, column, count);
      if (column.steps) {
        whole = await undo(whole);
        whole = new Uint32Array(whole.buffer);
      }
      const scale = 10 ** column.decimals;
      await sliced(count, (from, to) => {
        for (let i = from; i < to; i += 1) out[i] = (whole[i] + column.from) / scale;
      });
    }
    if (column.held) {
      const held = await bytes(id, column.held);
      await sliced(count, (from, to) => {
        for (let i = from; i < to; i += 1) if (!(held[i >> 3] >> (i & 7) & 1)) out[i] = NaN;
      });
    }
    return out;
  }

  /** Texts that end with null bytes: one is made when it is asked for. */
  async function texts(id, column, count) {
    const raw = await bytes(id, column.block);
    const ends = new Uint32Array(count);
    let found = 0;
    await sliced(raw.length, (from, to) => {
      for (let i = from; i < to; i += 1) if (raw[i] === 0) { ends[found] = i; found += 1; }
    });
    const reader = new TextDecoder();
    const start = (i) => (i ? ends[i - 1] + 1 : 0);
    return {
      at: (i) => reader.decode(raw.subarray(start(i), ends[i])),
      lump: (from, to) => reader.decode(raw.subarray(start(from), ends[to - 1])),
    };
  }

  /** A column that can be asked for a row's value, text and order. */
  async function read(id, column, count) {
    if (column.type === 'number') {
      const values = await floats(id, column, count);
      return { values, at: (i) => written(values[i]) };
    }
    if (column.type === 'category') {
      const codes = await numbers(id, column, count);
      return { codes, at: (i) => (codes[i] ? column.labels[codes[i] - 1] : '') };
    }
    return texts(id, column, count);
  }

  /** A count with commas between thousands; the browser's own way of it is slow to start. */
  const counted = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

  /** A number as a card shows it. */
  function written(value) {
    if (Number.isNaN(value)) return '';
    return Number.isInteger(value) && Math.abs(value) >= 10000
      ? value.toLocaleString('en', { maximumFractionDigits: 0 }) : String(value);
  }

  /** Vertices, rings and kinds of a layer, with the box of each feature and block. Where the
   * boxes come first, the shape can be drawn from far away; `rest` reads what is left. */
  async function shapes(id, packed) {
    const kinds = await numbers(id, packed.kinds, packed.placed);
    if (!packed.boxes) return lodemap.manyShape({ ...packed, kinds, ...await vertices(id, packed) });
    const boxes = await corners(id, packed.boxes, packed.placed);
    const { x, y, ...own } = packed;
    const shape = await lodemap.manyShape({ ...own, kinds, boxes });
    let rest = null;
    Object.defineProperty(shape, 'rest', { get: () => {
      if (!rest) {
        rest = vertices(id, packed, boxes).then((found) => Object.assign(shape, found));
        rest.catch(() => {}); // whoever needs it hears of it
      }
      return rest;
    } });
    return shape;
  }

  /** Vertices and rings: all that a shape is made of. */
  async function vertices(id, packed, boxes) {
    const { placed, rings } = packed;
    if (packed.vertices === placed && packed.kinds.all === 1) {
      const [x, y] = await Promise.all([packed.x, packed.y].map((axis) => walked(id, axis, placed)));
      return { x, y, ringAt: null, vertexAt: null };
    }
    const ringAt = await sums(await numbers(id, packed.ringsOf, placed), placed);
    const vertexAt = await sums(await numbers(id, packed.lengths, rings), rings);
    const [x, y] = await Promise.all([packed.x, packed.y].map((axis, corner) => (boxes
      ? walkedFrom(id, axis, boxes, corner, ringAt, vertexAt) : walked(id, axis, packed.vertices))));
    return { x, y, ringAt, vertexAt };
  }

  /** Boxes of features, as west, north, east, south. */
  async function corners(id, packed, count) {
    const [x, y] = await Promise.all([packed.x, packed.y].map((axis) => walked(id, axis, count)));
    const [wide, tall] = await Promise.all([packed.wide, packed.tall].map((side) =>
      numbers(id, side, count)));
    const out = new Int32Array(4 * count);
    await sliced(count, (from, to) => {
      for (let i = from; i < to; i += 1) {
        const k = 4 * i;
        out[k] = x[i];
        out[k + 1] = y[i];
        out[k + 2] = x[i] + wide[i];
        out[k + 3] = y[i] + tall[i];
      }
    });
    return out;
  }

  /** Where each group starts, and the end of the last, from their sizes. */
  async function sums(sizes, count) {
    const out = new Uint32Array(count + 1);
    let sum = 0;
    await sliced(count, (from, to) => {
      for (let i = from; i < to; i += 1) { sum += sizes[i]; out[i + 1] = sum; }
    });
    return out;
  }

  window.lodemap = Object.assign(window.lodemap || {}, {
    packed: { breathe, sliced, numbers, read, shapes, written, counted },
  });
})();
