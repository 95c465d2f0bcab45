/* Names of a layer in tiles: sorted blocks behind the tiles, of which a search reads a few. */
(() => {
  'use strict';

  const MOST_BLOCKS = 4;
  const MOST_KEPT = 64;
  const SCALE = 1000;
  const encoder = new TextEncoder();

  /** Order of two texts by their bytes, as the blocks are sorted. */
  function order(one, two) {
    const [a, b] = [encoder.encode(one), encoder.encode(two)];
    for (let i = 0; i < a.length && i < b.length; i += 1) if (a[i] !== b[i]) return a[i] - b[i];
    return a.length - b.length;
  }

  class Names {
    constructor(archive, said) { Object.assign(this, { archive, said, kept: new Map() }); }

    /** First names of the blocks and where those start; read once. */
    directory() {
      this.reading ||= (async () => {
        const { at, directory: [from, size] } = this.said;
        const lines = (await this.archive.text(at + from, size)).split('\n').map((line) => line.split('\t'));
        let start = at;
        this.blocks = lines.map(([first, bytes]) => {
          const block = { first, start, size: Number(bytes) };
          start += block.size;
          return block;
        });
      })();
      this.reading.catch(() => { this.reading = null; });
      return this.reading;
    }

    /** Entries of a block. */
    async block(i) {
      const had = this.kept.get(i);
      const { start, size } = this.blocks[i];
      const text = had ?? await this.archive.text(start, size);
      this.kept.delete(i);
      this.kept.set(i, text);
      if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value);
      return text.split('\n').map((line) => line.split('\t'));
    }

    /** Names in which a word begins so: row, place, name and score, the best first. */
    async find(text, most) {
      if (!this.said.blocks) return [];
      const wanted = text.replaceAll('ς', 'σ').slice(0, 40);
      await this.directory();
      let [low, high] = [0, this.blocks.length - 1];
      while (low < high) { // the last block that begins before what is wanted
        const middle = (low + high + 1) >> 1;
        if (order(this.blocks[middle].first, wanted) < 0) low = middle;
        else high = middle - 1;
      }
      const found = new Map();
      for (let i = low; i < Math.min(this.blocks.length, low + MOST_BLOCKS); i += 1) {
        if (i > low && !this.blocks[i].first.startsWith(wanted) && order(this.blocks[i].first, wanted) > 0) break;
        for (const [key, row, x, y, name] of await this.block(i)) {
          if (!key.startsWith(wanted)) continue;
          const whole = lodemap.plainText(name).trim().replaceAll('ς', 'σ');
          const score = whole.startsWith(key) ? whole.length - wanted.length : 10 + whole.length;
          const had = found.get(row);
          if (!had || had.score > score) {
            found.set(row, { row: Number(row), at: [Number(x) / SCALE, Number(y) / SCALE], name, score });
          }
        }
      }
      return [...found.values()].sort((a, b) => a.score - b.score).slice(0, most);
    }
  }

  lodemap.Names = Names;
})();
