/* Evidence cards: open, close, and point at what they speak of. */
(() => {
  'use strict';

  let chosen = null;
  let opener = null;

  const byId = (id) => document.getElementById(id);

  /** Mark every drawn part and every sentence that speaks of `key`, and no other. */
  function flag(key) {
    document.querySelectorAll('.is-chosen').forEach((el) => el.classList.remove('is-chosen'));
    if (!key) return;
    lodemap.marks.get(key).parts.forEach((part) => part.getElement()?.classList.add('is-chosen'));
    document.querySelectorAll(`[data-mark="${CSS.escape(key)}"]`)
      .forEach((el) => el.classList.add('is-chosen'));
  }

  /** Open the card of a mark, show the mark, and flag what speaks of it. */
  function select(key, { from = 'keys', others = [], still = false } = {}) {
    const mark = lodemap.marks.get(key);
    if (!mark) return false;
    lodemap.touch();
    if (!lodemap.shown(mark.mark)) lodemap.show(mark.mark, true);
    if (mark.sifted) lodemap.sift([[mark, false]]);
    putBack();
    chosen = mark;
    opener = document.activeElement;
    flag(key);
    const sheet = byId('sheet');
    const card = byId(mark.card);
    byId('sheet-body').replaceChildren(card);
    byId('sheet-body').scrollTop = 0;
    offer(others.filter((other) => other && other !== key));
    sheet.hidden = false;
    document.documentElement.classList.add('has-sheet');
    const heading = card.querySelector('h3');
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    if (!still) lodemap.whenStill(() => bringIntoView(mark, from));
    lodemap.changed();
    if (from !== 'panel') {
      const item = document.querySelector(`#story [data-mark="${CSS.escape(key)}"]`);
      if (item && window.innerWidth >= 900) {
        item.closest('details:not([open])')?.setAttribute('open', '');
        item.scrollIntoView({ block: 'center', behavior: !lodemap.animate ? 'auto' : 'smooth' });
      }
    }
    lodemap.announce(lodemap.t('Card open: {0}', lodemap.sayOf(mark)));
    return true;
  }

  /** Offer the other marks that lie under the pointer. */
  function offer(keys) {
    const row = byId('also');
    row.replaceChildren(row.firstElementChild);
    [...new Set(keys)].slice(0, 6).forEach((key) => {
      const button = document.createElement('button');
      button.type = 'button';
      const { text, lang } = lodemap.nameOf(lodemap.marks.get(key));
      Object.assign(button, { textContent: text, lang });
      button.addEventListener('click', () => select(key, {
        from: 'map', others: [chosen.key, ...keys].filter((other) => other !== key),
      }));
      row.append(button);
    });
    row.hidden = row.children.length < 2;
  }

  /** Pan or zoom so that a mark stands clear of the sheet. */
  function bringIntoView(mark, from) {
    const room = lodemap.clearance();
    const size = lodemap.map().getSize();
    const view = L.bounds(L.point(room.paddingTopLeft),
      size.subtract(L.point(room.paddingBottomRight)));
    const box = L.bounds(lodemap.map().latLngToContainerPoint(mark.bounds.getNorthWest()),
      lodemap.map().latLngToContainerPoint(mark.bounds.getSouthEast()));
    const extent = Math.max(box.getSize().x, box.getSize().y);
    const point = extent === 0;
    if (from !== 'map' && (extent > 700 || (!point && extent < 28))) {
      lodemap.map().fitBounds(mark.bounds, { ...room, maxZoom: 9, animate: lodemap.animate });
    } else if (!view.contains(box)) {
      const aim = view.getCenter().subtract(box.getCenter());
      lodemap.map().panBy([-aim.x, -aim.y], { animate: lodemap.animate, duration: 0.35 });
    }
    if (window.innerWidth < 900 && from === 'panel') byId('stage').scrollIntoView();
  }

  /** Return the open card to its place among the others. */
  function putBack() {
    const card = byId('sheet-body').firstElementChild;
    if (card) byId('cards').append(card);
  }

  /** Close the card and give the focus back to what opened it. */
  function close() {
    if (byId('sheet').hidden) return false;
    const key = chosen && chosen.key;
    putBack();
    byId('sheet').hidden = true;
    document.documentElement.classList.remove('has-sheet');
    flag(null);
    chosen = null;
    lodemap.changed();
    const drawn = key && lodemap.map().getContainer().querySelector(`[data-key="${CSS.escape(key)}"]`);
    const back = opener && opener.isConnected && opener !== document.body ? opener : drawn;
    const home = back || lodemap.map().getContainer();
    home.focus({ preventScroll: !home.closest('#story') });
    lodemap.announce(lodemap.t('Card closed'));
    return true;
  }

  Object.assign(lodemap, { select, close, flag, chosen: () => chosen });
})();
