/* What the legend says of a large layer, and the list of what is in view. */
(() => {
  'use strict';

  const PAGE = 20;
  const count = new Intl.NumberFormat('en');
  const { make } = lodemap;

  /** The legend's row of a layer: how it is drawn now, its filter, its list. */
  function toolMany(layer) {
    const box = document.querySelector(`[data-many="${CSS.escape(layer.key)}"]`);
    const rows = document.querySelectorAll(`#legend input[value^="${CSS.escape(layer.key)}:"]`);
    if (rows.length) rows[rows.length - 1].closest('label').after(box);
    const status = make('p', 'Reading …', { class: 'many-status', role: 'status' });
    const tools = make('details', '', { class: 'many-details' });
    tools.append(make('summary', layer.data.tiles ? 'List' : 'Filter and list'));
    tools.addEventListener('toggle', () => {
      if (!tools.open || tools.children.length > 1) return;
      tools.append(...(layer.data.tiles ? [] : [lodemap.filterMany(layer)]), list(layer));
    });
    box.append(status, tools);
    layer.listeners.push(() => { status.textContent = state(layer); });
    lodemap.keysMany(layer);
  }

  /** How much of a layer is in view, and how it is drawn. */
  function state(layer) {
    if (layer.damaged) return 'The data of this layer are damaged: it is not drawn, or not in full.';
    if (!layer.shape) return 'Reading …';
    const placed = layer.data.tiles ? layer.total : layer.shape.placed;
    if (!placed) return 'Nothing to draw.';
    const shown = layer.wanted && !layer.data.tiles
      ? layer.wanted.reduce((sum, one) => sum + one, 0) : placed;
    const inView = layer.shown ? layer.shape.count(layer.windows(), layer.wanted) : 0;
    const parts = [`${count.format(inView)} of ${count.format(placed)} in view`];
    if (shown < placed) parts.push(`${count.format(shown)} pass the filter`);
    const { manner, most, small } = layer.picture || {};
    if (layer.missing) parts.push(layer.missing);
    if (layer.kind !== 1 && !small) return `${parts.join('; ')}.`;
    if (manner?.way === 'density' && most) {
      parts.push(`drawn as density: in each square of ${manner.side} px the fainter, the fewer; `
        + `${count.format(most)} at most${layer.classed ? ', in the colour of the commonest class' : ''}`);
    } else if (small) {
      parts.push('what would be too small to see is drawn as a dot');
    } else if (manner?.way === 'dot' || manner?.way === 'disc') {
      parts.push('drawn as dots until fewer are in view');
    }
    return `${parts.join('; ')}.`;
  }

  /** The list of what is in view, a page at a time. */
  function list(layer) {
    const box = make('div', '', { class: 'many-list' });
    const title = make('h3', 'In view');
    const items = make('ol');
    const more = make('button', 'More', { type: 'button', class: 'text-button' });
    let shown = PAGE;
    let turn = 0;

    async function fill() {
      if (!box.closest('details').open || !layer.shape) return;
      turn += 1;
      const mine = turn;
      const found = layer.shown ? layer.shape.within(layer.windows(), shown + 1, layer.wanted) : [];
      const names = await Promise.all(found.slice(0, shown).map((i) => lodemap.manyName(layer, i)));
      if (mine !== turn) return;
      items.replaceChildren(...names.map((name, at) => {
        const item = make('li');
        const button = make('button', name, { type: 'button' });
        button.addEventListener('click', () => lodemap.selectMany(layer, found[at], { from: 'list' }));
        item.append(button);
        return item;
      }));
      more.hidden = found.length <= shown;
      title.textContent = names.length ? 'In view' : 'Nothing in view';
    }

    more.addEventListener('click', async () => {
      const last = items.children.length;
      shown += PAGE;
      await fill();
      items.children[last]?.firstElementChild.focus();
    });
    layer.listeners.push(fill);
    box.append(title, items, more);
    queueMicrotask(fill);
    return box;
  }

  lodemap.toolMany = toolMany;
})();
