/* Where the features of a large layer are: boxes, what is in view, what is at a point. */
(() => {
  'use strict';

  const BLOCK = 512;

  /** Geometry in whole steps; `step` of them along the world, from `west` and `north`. */
  class Shape {
    constructor(packed) {
      Object.assign(this, packed);
      this.points = !this.ringAt && !this.boxes;
      this.blocks = Math.ceil(this.placed / BLOCK);
      this.block = BLOCK;
    }

    /** Whether the vertices are there; the boxes may come before them. */
    get read() { return Boolean(this.x); }

    /** First and last vertex (not included) of a feature. */
    from(i) { return this.points ? i : this.vertexAt[this.ringAt[i]]; }

    to(i) { return this.points ? i + 1 : this.vertexAt[this.ringAt[i + 1]]; }

    /** Find the box of each feature, unless it is there, and of each block of them. */
    async measure() {
      if (!this.points && !this.boxes) await this.enclose();
      this.around = new Int32Array(4 * this.blocks);
      await lodemap.packed.sliced(this.placed, (from, to) => {
        for (let start = from; start < to; start += BLOCK) this.surround(start, Math.min(to, start + BLOCK));
      });
      return this;
    }

    /** The box of each feature. */
    async enclose() {
      const { x, y, placed } = this;
      const boxes = new Int32Array(4 * placed);
      await lodemap.packed.sliced(placed, (from, to) => {
        for (let i = from; i < to; i += 1) {
          let [w, n, e, s] = [2147483647, 2147483647, -2147483648, -2147483648];
          const end = this.to(i);
          for (let v = this.from(i); v < end; v += 1) {
            if (x[v] < w) w = x[v];
            if (x[v] > e) e = x[v];
            if (y[v] < n) n = y[v];
            if (y[v] > s) s = y[v];
          }
          boxes[4 * i] = w;
          boxes[4 * i + 1] = n;
          boxes[4 * i + 2] = e;
          boxes[4 * i + 3] = s;
        }
      });
      this.boxes = boxes;
    }

    /** The box of one block of features. */
    surround(from, to) {
      const { x, y, boxes, points, around } = this;
      let w = 2147483647;
      let n = w;
      let e = -2147483648;
      let s = e;
      for (let i = from; i < to; i += 1) {
        const west = points ? x[i] : boxes[4 * i];
        const north = points ? y[i] : boxes[4 * i + 1];
        const east = points ? west : boxes[4 * i + 2];
        const south = points ? north : boxes[4 * i + 3];
        if (west < w) w = west;
        if (east > e) e = east;
        if (north < n) n = north;
        if (south > s) s = south;
      }
      const k = 4 * (from / BLOCK);
      around[k] = w;
      around[k + 1] = n;
      around[k + 2] = e;
      around[k + 3] = s;
    }

    /** Box of all features in steps. */
    whole() {
      if (!this.box) {
        this.box = [Infinity, Infinity, -Infinity, -Infinity];
        for (let k = 0; k < this.around.length; k += 4) {
          for (let j = 0; j < 4; j += 1) {
            const more = j < 2 ? Math.min : Math.max;
            this.box[j] = more(this.box[j], this.around[k + j]);
          }
        }
      }
      return this.box;
    }

    /** How far a step is in pixels of the world at a zoom, and where steps start. */
    scale(zoom) {
      const world = 256 * 2 ** zoom;
      const step = this.step * world;
      return { world, step, x: this.west * step, y: this.north * step };
    }

    /** Windows of steps over a box of world pixels: one for each copy of the world. */
    windows(zoom, left, top, right, bottom) {
      const { world, step, x, y } = this.scale(zoom);
      const found = [];
      for (let turn = -2; turn <= 2; turn += 1) {
        const shift = turn * world;
        found.push({
          shift, turn, w: (left - x - shift) / step, e: (right - x - shift) / step,
          n: (top - y) / step, s: (bottom - y) / step,
        });
      }
      return found.filter((box) => {
        for (let k = 0; k < this.around.length; k += 4) if (this.meets(k, box)) return true;
        return false;
      });
    }

    /** Whether the block at `k` meets a window. */
    meets(k, { w, n, e, s }) {
      const a = this.around;
      return a[k] <= e && a[k + 2] >= w && a[k + 1] <= s && a[k + 3] >= n;
    }

    /** Whether a feature's box meets a window. */
    touches(i, { w, n, e, s }) {
      if (this.points) {
        const [a, b] = [this.x[i], this.y[i]];
        return a >= w && a <= e && b >= n && b <= s;
      }
      const [b, k] = [this.boxes, 4 * i];
      return b[k] <= e && b[k + 2] >= w && b[k + 1] <= s && b[k + 3] >= n;
    }

    /** Call `visit(from, to, whole)` for each block in a window; false ends it. */
    eachBlock(window, visit) {
      const { w, n, e, s } = window;
      const a = this.around;
      for (let k = 0; k < a.length; k += 4) {
        if (!this.meets(k, window)) continue;
        const start = (k / 4) * BLOCK;
        const whole = a[k] >= w && a[k + 2] <= e && a[k + 1] >= n && a[k + 3] <= s;
        visit(start, Math.min(this.placed, start + BLOCK), whole);
      }
    }

    /** Features in a window, at most so many. */
    within(windows, most, wanted = null) {
      const found = [];
      for (const window of windows) {
        this.eachBlock(window, (from, to, whole) => {
          for (let i = from; i < to && found.length < most; i += 1) {
            if ((!wanted || wanted[i]) && (whole || this.touches(i, window))) found.push(i);
          }
        });
      }
      return found;
    }

    /** How many features lie in windows; where each stands for several, all of them. */
    count(windows, wanted = null) {
      const { weights } = this;
      let sum = 0;
      for (const window of windows) {
        this.eachBlock(window, (from, to, whole) => {
          if (whole && !wanted && !weights) { sum += to - from; return; }
          for (let i = from; i < to; i += 1) {
            if ((!wanted || wanted[i]) && (whole || this.touches(i, window))) sum += weights ? weights[i] : 1;
          }
        });
      }
      return sum;
    }

    /** Features at a point of the world, nearest first, within `reach` pixels. */
    at(zoom, px, py, reach, wanted = null, most = 7) {
      if (!this.read) return [];
      const { step } = this.scale(zoom);
      const found = [];
      for (const window of this.windows(zoom, px - reach, py - reach, px + reach, py + reach)) {
        const [cx, cy] = [(window.w + window.e) / 2, (window.n + window.s) / 2];
        this.eachBlock(window, (from, to) => {
          for (let i = from; i < to; i += 1) {
            if ((wanted && !wanted[i]) || !this.touches(i, window)) continue;
            const far = this.distance(i, cx, cy) * step;
            if (far <= reach) found.push({ i, far, kind: this.kinds[i] });
          }
        });
      }
      // Points before lines before areas; what lies in two areas is first in the smaller.
      found.sort((a, b) => a.kind - b.kind || a.far - b.far || this.extent(a.i) - this.extent(b.i)
        || b.i - a.i);
      return [...new Set(found.map(({ i }) => i))].slice(0, most);
    }

    extent(i) {
      if (this.points) return 0;
      const [b, k] = [this.boxes, 4 * i];
      return (b[k + 2] - b[k]) * (b[k + 3] - b[k + 1]);
    }

    /** Distance of a place from a feature in steps; 0 inside an area. */
    distance(i, cx, cy) {
      const { x, y } = this;
      const kind = this.kinds[i];
      let least = Infinity;
      if (kind === 1) {
        for (let v = this.from(i); v < this.to(i); v += 1) {
          least = Math.min(least, Math.hypot(x[v] - cx, y[v] - cy));
        }
        return least;
      }
      let inside = false;
      for (let r = this.ringAt[i]; r < this.ringAt[i + 1]; r += 1) {
        const [start, end] = [this.vertexAt[r], this.vertexAt[r + 1]];
        for (let v = start; v < end; v += 1) {
          let u = v - 1;
          if (v === start) {
            if (kind === 2) continue;
            u = end - 1;
          }
          const [ax, ay, bx, by] = [x[u] - cx, y[u] - cy, x[v] - cx, y[v] - cy];
          if (kind === 3 && (ay > 0) !== (by > 0) && (bx - ax) * -ay / (by - ay) + ax > 0) {
            inside = !inside;
          }
          if (this.cut && this.cut[v]) continue; // where a tile ends is no edge
          const [dx, dy] = [bx - ax, by - ay];
          const share = Math.max(0, Math.min(1, -(ax * dx + ay * dy) / (dx * dx + dy * dy || 1)));
          least = Math.min(least, Math.hypot(ax + share * dx, ay + share * dy));
        }
      }
      return inside ? 0 : least;
    }

    /** Longitude and latitude of a place in steps. */
    degrees(a, b) {
      const lon = (this.west + a) * this.step * 360 - 180;
      const lat = Math.atan(Math.sinh(Math.PI * (1 - 2 * (this.north + b) * this.step)));
      return [lon, lat * 180 / Math.PI];
    }

    /** Place where a feature's name and cursor stand, as [lon, lat]. */
    anchor(i) {
      if (!this.read) {
        const [w, n, e, s] = this.boxes.subarray(4 * i, 4 * i + 4);
        return this.degrees((w + e) / 2, (n + s) / 2);
      }
      const [from, to] = [this.from(i), this.to(i)];
      if (this.kinds[i] === 1) return this.degrees(this.x[from], this.y[from]);
      if (this.kinds[i] === 2) {
        const end = this.vertexAt[this.ringAt[i] + 1];
        const v = (from + Math.min(end, to)) >> 1;
        return this.degrees(this.x[v], this.y[v]);
      }
      const [b, k] = [this.boxes, 4 * i];
      const [w, n, e, s] = b.subarray(k, k + 4);
      const choices = [0.5, 0.35, 0.65, 0.2, 0.8].flatMap((q) =>
        [0.5, 0.35, 0.65, 0.2, 0.8].map((p) => [w + p * (e - w), n + q * (s - n)]));
      const [a, c] = choices.find(([p, q]) => this.distance(i, p, q) === 0)
        || [this.x[from], this.y[from]];
      return this.degrees(a, c);
    }

    /** Bounds of a feature as [[south, west], [north, east]]. */
    bounds(i) {
      if (this.points) {
        const [lon, lat] = this.anchor(i);
        return [[lat, lon], [lat, lon]];
      }
      const [w, n, e, s] = this.boxes.subarray(4 * i, 4 * i + 4);
      const [[west, north], [east, south]] = [this.degrees(w, n), this.degrees(e, s)];
      return [[south, west], [north, east]];
    }

    /** A feature's rings in degrees, as GeoJSON. Holes turn the other way. */
    geometry(i) {
      const kind = this.kinds[i];
      const rings = [];
      for (let r = this.read ? this.ringAt[i] : 0; this.read && r < this.ringAt[i + 1]; r += 1) {
        const ring = [];
        for (let v = this.vertexAt[r]; v < this.vertexAt[r + 1]; v += 1) {
          ring.push(this.degrees(this.x[v], this.y[v]));
        }
        rings.push(ring);
      }
      if (kind === 2) return { type: 'MultiLineString', coordinates: rings };
      const polygons = [];
      rings.forEach((ring) => {
        if (area(ring) >= 0 || !polygons.length) polygons.push([ring]);
        else polygons[polygons.length - 1].push(ring);
      });
      return { type: 'MultiPolygon', coordinates: polygons, edges: this.cut && this.edges(i) };
    }

    /** What lines the rings of an area that tiles have cut, as a GeoJSON geometry. */
    edges(i) {
      const lines = [];
      for (let r = this.ringAt[i]; r < this.ringAt[i + 1]; r += 1) {
        const [start, end] = [this.vertexAt[r], this.vertexAt[r + 1]];
        const at = (v) => this.degrees(this.x[v], this.y[v]);
        let line = [at(start)];
        for (let v = start + 1; v <= end; v += 1) {
          const to = v === end ? start : v;
          if (this.cut[to]) { lines.push(line); line = []; }
          line.push(at(to));
        }
        lines.push(line);
      }
      return { type: 'MultiLineString', coordinates: lines.filter((line) => line.length > 1) };
    }
  }

  /** Twice the signed area of a ring. */
  function area(ring) {
    return ring.reduce((sum, [x, y], i) => {
      const [u, v] = ring[(i + 1) % ring.length];
      return sum + x * v - u * y;
    }, 0);
  }

  lodemap.manyShape = (packed) => new Shape(packed).measure();
})();
