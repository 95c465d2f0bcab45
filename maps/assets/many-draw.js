/* The picture of a large layer on a canvas: symbols for the few, density for the many. */
(() => {
  'use strict';

  const PAD = 0.2;
  const CELL = 3;
  const SYMBOLS = 1500;
  const DISCS = 6000;
  const TINY = 2.5;
  const CROWD = 20000;
  const BATCH = 100;
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const sprites = new Map();

  /** 1 in the dark, 0 by day and on paper. */
  function night() {
    return dark.matches && !document.documentElement.classList.contains('is-printing') ? 1 : 0;
  }

  /** A colour `#rrggbb` as a pixel. */
  function pixel(colour, alpha = 255) {
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
    return ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }

  /** One of the page's drawings in a colour, as a small canvas; made once. */
  async function sprite(name, colour, paper, side, ratio) {
    const key = [name, colour, paper, side, ratio].join();
    if (sprites.has(key)) return sprites.get(key);
    const drawn = document.createElement('canvas');
    drawn.width = drawn.height = Math.ceil(side * ratio);
    const pen = drawn.getContext('2d');
    if (name === 'disc') {
      const half = drawn.width / 2;
      pen.fillStyle = paper;
      pen.arc(half, half, half, 0, 7);
      pen.fill();
      pen.beginPath();
      pen.fillStyle = colour;
      pen.arc(half, half, half - 0.8 * ratio, 0, 7);
      pen.fill();
    } else {
      const shape = document.getElementById(`symbol-${name}`);
      const svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20" '
        + `width="${drawn.width}" height="${drawn.width}" color="${colour}" `
        + `style="--paper:${paper}">${shape.innerHTML}</svg>`;
      const image = new Image();
      image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
      await image.decode();
      pen.drawImage(image, 0, 0, drawn.width, drawn.width);
    }
    sprites.set(key, drawn);
    return drawn;
  }

  /** How many features are listed, in all windows. */
  const size = (listed) => listed.reduce((sum, { ids }) => sum + ids.length, 0);

  /** How points are drawn where so many lie on so many pixels. */
  function manner(count, area) {
    if (count <= SYMBOLS) return { way: 'symbol', side: 20 };
    if (count <= DISCS && count * 49 < area * 0.4) return { way: 'disc', side: 7 };
    const side = [5, 4, 3, 2].find((d) => count * d * d < area * 0.2);
    return side ? { way: 'dot', side } : { way: 'density', side: CELL };
  }

  /** Colour cells by the commonest class in each, as strongly as its count; the most of all. A
   * loop of its own, which the browser makes fast sooner than one that may wait. */
  function shade(out, counts, parts, colours) {
    const classes = colours.length;
    let most = 1;
    for (let i = 0; i < counts.length; i += 1) if (counts[i] > most) most = counts[i];
    const span = Math.log(most) || 1;
    const strength = (count) => Math.round(95 + 160 * (most === 1 ? 1 : Math.log(count) / span)) << 24;
    const known = Uint32Array.from({ length: Math.min(most, 255) + 1 }, (_, count) => (count ? strength(count) : 0));
    for (let i = 0; i < counts.length; i += 1) {
      const count = counts[i];
      if (!count) continue;
      let best = 0;
      if (parts) {
        const base = i * classes;
        for (let c = 1; c < classes; c += 1) if (parts[base + c] > parts[base + best]) best = c;
      }
      out[i] = colours[best] | (count < known.length ? known[count] : strength(count));
    }
    return most;
  }

  /** One painting of a layer: what is needed while it is made. */
  class Painting {
    constructor(layer, canvas, view) {
      Object.assign(this, { layer, canvas, ...view });
      this.ratio = Math.min(window.devicePixelRatio || 1, 2);
      canvas.width = Math.round(this.width * this.ratio);
      canvas.height = Math.round(this.height * this.ratio);
      canvas.style.width = `${this.width}px`;
      canvas.style.height = `${this.height}px`;
      this.pen = canvas.getContext('2d', { willReadFrequently: true });
      this.night = night();
      this.colours = layer.colours.map((pair) => pair[this.night]);
      this.paper = layer.paper[this.night];
      this.shape = layer.shape;
      this.windows = this.shape.windows(this.zoom, this.left, this.top,
        this.left + this.width, this.top + this.height);
      this.windows.forEach((window) => { window.frame = this.frame(window); });
    }

    /** Whether to go on now, or after the page's other work; false once out of date. */
    async pause() {
      if (this.now) return true;
      const wait = lodemap.packed.breathe();
      if (wait) {
        this.pen.getImageData(0, 0, 1, 1); // draws what is pending within this turn
        await wait;
      }
      return this.layer.current === this;
    }

    /** Scale and shift from steps to pixels of the canvas, for a window. */
    frame(window) {
      const { step, x, y } = this.shape.scale(this.zoom);
      const r = this.ratio;
      return { m: step * r, dx: (x + window.shift - this.left) * r, dy: (y - this.top) * r };
    }

    /** Blocks in view, one after the other: [window, from, to, whole]. */
    blocks() {
      const found = [];
      this.windows.forEach((window) => this.shape.eachBlock(window, (from, to, whole) =>
        found.push([window, from, to, whole])));
      return found;
    }

    /** Paint all; false if it came too late. */
    async paint() {
      const { wanted } = this.layer;
      const kinds = this.shape.kinds;
      const all = this.blocks();
      this.manner = this.shape.weights ? { way: 'density', side: this.layer.data.tiles.square }
        : manner(this.shape.count(this.windows, wanted), this.inked());
      const found = this.shape.points ? null : await this.sort(all, this.windows.map((window) =>
        ({ window, points: [], areas: [], lines: [] })));
      if (!found) return this.shape.points ? this.paintPoints(all, null) : false;
      const [points, areas, lines] = ['points', 'areas', 'lines'].map((name) =>
        found.map((one) => ({ window: one.window, ids: one[name] })));
      const shapeless = !size(points) || (this.layer.kind === 3
        && points.every(({ ids }) => ids.every((i) => kinds[i] === 3)));
      if (size(areas) || size(lines) || !shapeless) {
        await this.shape.rest?.catch(() => {});
        if (!(await this.pause()) || !this.shape.read) return false;
      }
      this.small = size(points) && this.layer.kind === 3;
      if (size(points) && !(await this.paintPoints(null, points))) return false;
      if (!(await this.paintPaths(areas, true))) return false;
      return this.paintPaths(lines, false);
    }

    /** Share features out to what they are drawn as; null if it came too late. */
    async sort(all, groups) {
      const { wanted } = this.layer;
      const { kinds, boxes } = this.shape;
      const crowd = all.length * this.shape.block > CROWD;
      const tiny = (crowd ? TINY * 1.6 : TINY) * this.ratio;
      for (let b = 0; b < all.length; b += 1) {
        const [window, from, to, whole] = all[b];
        const { points, areas, lines } = groups.find((one) => one.window === window);
        const { m } = window.frame;
        for (let i = from; i < to; i += 1) {
          if ((wanted && !wanted[i]) || (!whole && !this.shape.touches(i, window))) continue;
          const k = 4 * i;
          const across = Math.max(boxes[k + 2] - boxes[k], boxes[k + 3] - boxes[k + 1]) * m;
          if (kinds[i] === 1 || (across < tiny && kinds[i] === 3)) points.push(i);
          else (kinds[i] === 3 ? areas : lines).push(i);
        }
        if (b % 16 === 0 && !(await this.pause())) return null;
      }
      return groups;
    }

    /** Pixels of the page over which the features in view lie. */
    inked() {
      let area = 0;
      this.windows.forEach((window) => {
        const [west, north, east, south] = this.shape.whole();
        const { m } = window.frame;
        const wide = Math.min(window.e, east) - Math.max(window.w, west);
        const tall = Math.min(window.s, south) - Math.max(window.n, north);
        area += Math.max(wide * m, 12) * Math.max(tall * m, 12) / this.ratio ** 2;
      });
      return Math.max(area, 1);
    }

    /** Points of whole blocks, or of listed features. */
    async paintPoints(blocks, listed) {
      const { way } = this.manner;
      if (listed) {
        const most = size(listed);
        this.manner = this.layer.kind === 1 ? manner(most, this.inked())
          : { way: most * 9 > this.inked() * 0.2 ? 'density' : 'dot', side: CELL };
      }
      if (this.manner.way === 'symbol' || this.manner.way === 'disc') {
        return this.stamp(blocks, listed);
      }
      const sink = this.manner.way === 'density' ? this.density() : this.dots();
      if (listed) {
        for (const { window, ids } of listed) {
          for (let j = 0; j < ids.length; j += 4096) {
            this.eachPoint(sink, window, ids, j, Math.min(j + 4096, ids.length));
            if (!(await this.pause())) return false;
          }
        }
      } else {
        for (let b = 0; b < blocks.length; b += 1) {
          const [window, from, to] = blocks[b];
          sink.run(this.shape, this.layer, window.frame, from, to);
          if (b % 32 === 0 && !(await this.pause())) return false;
        }
      }
      if (!(await sink.done())) return false;
      return Boolean(way);
    }

    /** Points of listed features of any kind; a small area stands where its middle is. */
    eachPoint(sink, window, ids, start, end) {
      const { shape } = this;
      const { boxes, kinds, x, y } = shape;
      const { places } = this.layer;
      const { m, dx, dy } = window.frame;
      for (let j = start; j < end; j += 1) {
        const i = ids[j];
        const place = places ? places[i] : 0;
        if (kinds[i] === 3) {
          const k = 4 * i;
          sink.put((boxes[k] + boxes[k + 2]) / 2 * m + dx, (boxes[k + 1] + boxes[k + 3]) / 2 * m + dy, place);
        } else {
          const last = shape.to(i);
          for (let v = shape.from(i); v < last; v += 1) sink.put(x[v] * m + dx, y[v] * m + dy, place);
        }
      }
    }

    /** A sink that writes squares straight into the pixels. */
    dots() {
      const { width, height } = this.canvas;
      const image = this.pen.createImageData(width, height);
      const out = new Uint32Array(image.data.buffer);
      const colour = this.colours.map((c) => pixel(c));
      const side = Math.max(1, Math.round(this.manner.side * this.ratio));
      const half = side / 2;
      const put = (px, py, place) => {
        const a = Math.round(px - half);
        const b = Math.round(py - half);
        if (a < 0 || b < 0 || a + side > width || b + side > height) return;
        const ink = colour[place];
        for (let row = b; row < b + side; row += 1) {
          const at = row * width + a;
          for (let c = at; c < at + side; c += 1) out[c] = ink;
        }
      };
      return {
        put,
        run: ({ x, y }, { wanted, places }, { m, dx, dy }, from, to) => {
          for (let i = from; i < to; i += 1) {
            if (!wanted || wanted[i]) put(x[i] * m + dx, y[i] * m + dy, places ? places[i] : 0);
          }
        },
        done: async () => { this.pen.putImageData(image, 0, 0); return true; },
      };
    }

    /** A sink that counts in cells: the commonest class gives the colour, the count its
     * strength. */
    density() {
      const cell = this.manner.side * this.ratio;
      // Cells stand where they are on the world, so that they do not flicker as it moves.
      const [ox, oy] = [this.left, this.top].map((v) => ((v * this.ratio) % cell + cell) % cell);
      const columns = Math.ceil((this.canvas.width + ox) / cell);
      const rows = Math.ceil((this.canvas.height + oy) / cell);
      const classes = this.colours.length;
      const counts = new Uint32Array(columns * rows);
      const parts = classes > 1 ? new Uint32Array(columns * rows * classes) : null;
      const put = (px, py, place) => {
        const a = (px + ox) / cell;
        const b = (py + oy) / cell;
        if (a < 0 || b < 0 || a >= columns || b >= rows) return;
        const at = Math.floor(b) * columns + Math.floor(a);
        counts[at] += 1;
        if (parts) parts[at * classes + place] += 1;
      };
      // The loop that has to be fast: a million single points, each of them once.
      const run = ({ x, y, weights }, { wanted, places }, { m, dx, dy }, from, to) => {
        for (let i = from; i < to; i += 1) {
          if (wanted && !wanted[i]) continue;
          const a = (x[i] * m + dx + ox) / cell;
          const b = (y[i] * m + dy + oy) / cell;
          if (a < 0 || b < 0 || a >= columns || b >= rows) continue;
          const at = Math.floor(b) * columns + Math.floor(a);
          const weight = weights ? weights[i] : 1;
          counts[at] += weight;
          if (parts) parts[at * classes + places[i]] += weight;
        }
      };
      const done = async () => {
        const small = document.createElement('canvas');
        [small.width, small.height] = [columns, rows];
        const pen = small.getContext('2d', { willReadFrequently: true });
        const image = pen.createImageData(columns, rows);
        const most = shade(new Uint32Array(image.data.buffer), counts, parts, this.colours.map((c) => pixel(c, 0)));
        if (!(await this.pause())) return false;
        pen.putImageData(image, 0, 0);
        this.pen.imageSmoothingEnabled = false;
        this.pen.drawImage(small, -ox, -oy, columns * cell, rows * cell);
        this.most = most;
        return true;
      };
      return { put, run, done };
    }

    /** Put a symbol or a disc at each point. */
    async stamp(blocks, listed) {
      const { way, side } = this.manner;
      const name = way === 'disc' ? 'disc' : this.layer.symbol;
      const stamps = await Promise.all(this.colours.map((colour) =>
        sprite(name, colour, this.paper, side, this.ratio)));
      const half = stamps[0].width / 2;
      const sink = { put: (px, py, place) =>
        this.pen.drawImage(stamps[place], Math.round(px - half), Math.round(py - half)) };
      const { wanted, places } = this.layer;
      const { x, y } = this.shape;
      if (listed) {
        listed.forEach(({ window, ids }) => this.eachPoint(sink, window, ids, 0, ids.length));
      } else {
        blocks.forEach(([window, from, to]) => {
          const { m, dx, dy } = window.frame;
          for (let i = from; i < to; i += 1) {
            if ((!wanted || wanted[i]) && this.shape.touches(i, window)) {
              sink.put(x[i] * m + dx, y[i] * m + dy, places ? places[i] : 0);
            }
          }
        });
      }
      return this.pause();
    }

    /** Areas or lines, in batches that the browser can fill at once. */
    async paintPaths(listed, filled) {
      const count = size(listed);
      if (!count) return true;
      const { pen, ratio } = this;
      const { places, classed } = this.layer;
      const many = count > 3000;
      const edge = filled ? (many ? 0.7 : 1.6) : (many ? 1.4 : 2.6);
      const opacity = classed ? 0.65 : (many ? 0.4 : 0.1);
      const stroked = !filled || count < 12000;
      const blank = () => ({ path: new Path2D(), count: 0,
        edge: filled && this.shape.cut ? new Path2D() : null });
      const batches = this.colours.map(blank);
      pen.lineJoin = 'round';
      pen.lineWidth = edge * ratio;
      const flush = (place) => {
        const batch = batches[place];
        if (!batch.count) return;
        if (filled) {
          pen.globalAlpha = opacity;
          pen.fillStyle = this.colours[place];
          pen.fill(batch.path);
        }
        if (stroked) {
          pen.globalAlpha = filled && many ? 0.7 : 1;
          pen.strokeStyle = this.colours[place];
          pen.stroke(batch.edge || batch.path);
        }
        batches[place] = blank();
      };
      const least = (count > CROWD ? 2 : many ? 1 : 0.5) * ratio;
      for (const { window, ids } of listed) {
        for (const i of ids) {
          const place = places ? places[i] : 0;
          this.trace(batches[place], window, i, least, filled);
          batches[place].count += 1;
          if (batches[place].count >= BATCH) {
            flush(place);
            if (!(await this.pause())) return false;
          }
        }
      }
      batches.forEach((_, place) => flush(place));
      pen.globalAlpha = 1;
      return this.pause();
    }

    /** Add a feature's rings to a path, without vertices that fall on the last one; and to
     * its edge, without those along which tiles have cut it. */
    trace({ path, edge }, window, i, least, filled) {
      const { x, y, ringAt, vertexAt } = this.shape;
      const cut = edge && this.shape.cut;
      const { m, dx, dy } = window.frame;
      for (let r = ringAt[i]; r < ringAt[i + 1]; r += 1) {
        const [start, end] = [vertexAt[r], vertexAt[r + 1]];
        let lastX = x[start] * m + dx;
        let lastY = y[start] * m + dy;
        path.moveTo(lastX, lastY);
        if (cut) edge.moveTo(lastX, lastY);
        for (let v = start + 1; v < end; v += 1) {
          const px = x[v] * m + dx;
          const py = y[v] * m + dy;
          if (Math.abs(px - lastX) + Math.abs(py - lastY) < least && v < end - 1
            && !(cut && (cut[v] || cut[v + 1]))) continue;
          path.lineTo(px, py);
          if (cut) edge[cut[v] ? 'moveTo' : 'lineTo'](px, py);
          lastX = px;
          lastY = py;
        }
        if (filled) path.closePath();
        if (cut && !cut[start]) edge.lineTo(x[start] * m + dx, y[start] * m + dy);
      }
    }
  }

  Object.assign(lodemap, {
    Painting, manyPad: PAD, whenDark: (act) => dark.addEventListener('change', act),
  });
})();
