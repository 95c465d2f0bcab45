/* What the legend says of an added layer, and the list of what is in view. */
(() => {
  'use strict';

  const PAGE = 20;
  const { make, said, t } = lodemap;
  const { counted } = lodemap.packed;

  /**
   * The legend's row of a layer: how it is drawn now, its filter, its list. A layer has
   * `key`, `data.columns`, `total`, `shape` (with `placed`, `count` and `within`), `windows()`,
   * `shown`, `wanted`, `filter`, `choose()`, `column(name)`, `titleOf(i)`, `open(i)` and
   * `listeners`: of marks in few.js, on a canvas in many.js.
   */
  function toolMany(layer) {
    const key = CSS.escape(layer.key);
    const box = make('div', '', { class: 'many-tools' });
    const rows = document.querySelectorAll(`#legend input[value="${key}"], #legend input[value^="${key}:"]`);
    rows[rows.length - 1].closest('label').after(box);
    const status = make('p', t('Reading …'), { class: 'many-status', role: 'status' });
    const tools = make('details', '', { class: 'many-details' });
    tools.append(make('summary', layer.data.tiles ? said('List') : said('Filter and list')));
    tools.addEventListener('toggle', () => {
      if (!tools.open || tools.children.length > 1) return;
      tools.append(...(layer.data.tiles ? [] : [lodemap.filterMany(layer)]), list(layer));
    });
    box.append(status, tools);
    const tell = () => lodemap.tell(status, state(layer));
    layer.listeners.push(tell);
    lodemap.whenSpoken(tell);
  }

  const all = (parts) => t('{0}.', parts.reduce((had, part) => t('{0}; {1}', had, part)));

  /** How much of a layer is in view, and how it is drawn. */
  function state(layer) {
    if (layer.damaged) return t('The data of this layer are damaged: it is not drawn, or not in full.');
    if (!layer.shape) return t('Reading …');
    const placed = layer.data.tiles ? layer.total : layer.shape.placed;
    if (!placed) return t('Nothing to draw.');
    const shown = layer.wanted && !layer.data.tiles
      ? layer.wanted.reduce((sum, one) => sum + one, 0) : placed;
    const inView = layer.shown ? layer.shape.count(layer.windows(), layer.wanted) : 0;
    const parts = [t('{0} of {1} in view', counted(inView), counted(placed))];
    if (shown < placed) parts.push(t('{0} pass the filter', counted(shown)));
    const { manner, most, small } = layer.picture || {};
    if (layer.missing) parts.push(layer.missing());
    if (layer.kind !== 1 && !small && !layer.shape.weights) return all(parts);
    if (manner?.way === 'density' && most) {
      parts.push(layer.classed
        ? t('drawn as density: in each square of {0} px the fainter, the fewer; {1} at most, in the colour of the commonest class', manner.side, counted(most))
        : t('drawn as density: in each square of {0} px the fainter, the fewer; {1} at most', manner.side, counted(most)));
    } else if (small) {
      parts.push(t('what would be too small to see is drawn as a dot'));
    } else if (manner?.way === 'dot' || manner?.way === 'disc') {
      parts.push(t('drawn as dots until fewer are in view'));
    }
    return all(parts);
  }

  /** The list of what is in view, a page at a time. */
  function list(layer) {
    const box = make('div', '', { class: 'many-list' });
    const title = make('h3', said('In view'));
    const items = make('ol');
    const more = make('button', said('More'), { type: 'button', class: 'text-button' });
    let shown = PAGE;
    let turn = 0;

    async function fill() {
      if (!box.closest('details').open || !layer.shape) return;
      turn += 1;
      const mine = turn;
      const found = layer.shown ? layer.shape.within(layer.windows(), shown + 1, layer.wanted) : [];
      const names = await Promise.all(found.slice(0, shown).map((i) => layer.titleOf(i)));
      if (mine !== turn) return;
      items.replaceChildren(...names.map((name, at) => {
        const item = make('li');
        const button = make('button', name.text, { type: 'button', lang: name.lang });
        button.addEventListener('click', () => layer.open(found[at], { from: 'list' }));
        item.append(button);
        return item;
      }));
      more.hidden = found.length <= shown;
      title.replaceChildren(names.length ? said('In view') : said('Nothing in view'));
    }

    more.addEventListener('click', async () => {
      const last = items.children.length;
      shown += PAGE;
      await fill();
      items.children[last]?.firstElementChild.focus();
    });
    layer.listeners.push(fill);
    lodemap.whenSpoken(fill);
    box.append(title, items, more);
    queueMicrotask(fill);
    return box;
  }

  lodemap.toolMany = toolMany;
})();
