/* Readings side by side: the areas that hold one of them, shown on the map. */
(() => {
  'use strict';

  let shown = null;

  /** The areas that hold a reading, by the button that shows them. */
  const keysOf = (button) => button.dataset.holds.split(' ')
    .filter((key) => lodemap.marks.has(key));

  /** Mark the areas of the reading that is shown, and no others. */
  function mark() {
    const keys = new Set(shown ? keysOf(shown) : []);
    lodemap.marks.forEach(({ key, family, parts }) => {
      if (family !== 'candidate') return;
      parts.forEach((part) => {
        const { classList } = part.getElement?.() ?? {};
        classList?.toggle('is-held', keys.has(key));
        classList?.toggle('is-spare', keys.size > 0 && !keys.has(key));
      });
    });
    document.querySelectorAll('[data-holds]').forEach((button) =>
      button.setAttribute('aria-pressed', String(button === shown)));
  }

  /** Show the areas that hold a reading, or all as before. */
  function hold(button) {
    shown = shown === button ? null : button;
    if (shown) {
      const keys = keysOf(shown);
      lodemap.close();
      if (keys.length && !lodemap.shown('candidate')) lodemap.show('candidate', true);
      const bounds = L.latLngBounds(keys.map((key) => lodemap.marks.get(key).bounds));
      lodemap.touch();
      lodemap.map().fitBounds(bounds, {
        ...lodemap.clearance(), maxZoom: 9, animate: lodemap.animate,
      });
      if (window.innerWidth < 900) document.getElementById('stage').scrollIntoView();
      lodemap.announce(lodemap.t('{0} areas are marked that would hold reading {1}',
        keys.length, shown.dataset.reading));
    }
    mark();
    lodemap.changed();
  }

  /** Wire the buttons. */
  function startCompare() {
    const buttons = [...document.querySelectorAll('[data-holds]')];
    buttons.forEach((button) => button.addEventListener('click', () => hold(button)));
    lodemap.whenPlaced(mark);
    if (!buttons.length) return;
    lodemap.keep('reading', {
      read: () => shown?.dataset.reading ?? '',
      write: (text) => {
        const wanted = buttons.find((button) => button.dataset.reading === text) ?? null;
        if (wanted !== shown) hold(wanted ?? shown);
      },
    });
  }

  Object.assign(lodemap, { startCompare });
})();
