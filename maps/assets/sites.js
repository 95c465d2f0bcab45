/* Sites: often smaller than a fingertip, so what is seen and what is hit differ. */
(() => {
  'use strict';

  const ROOM = 30;
  const drawMark = lodemap.draw;

  /** A site as a cased outline, under a wider one that nobody sees and that is hit. */
  function drawSite(layer, feature) {
    const { target } = drawMark(layer, feature);
    const kind = `role-${layer.role} mark-${layer.family}`;
    const flat = { pane: layer.pane, interactive: false, smoothFactor: 1 };
    const seen = ['casing-site', 'ink-site'].map((name) =>
      L.polygon(target.getLatLngs(), { ...flat, className: `${kind} ${name}` }));
    target.options.className = `${kind} hit-site`;
    target.options.dashArray = null;
    return { parts: [...seen, target], target };
  }

  /** Whether a number has room inside a site at this zoom. */
  function isRoomy({ bounds }) {
    const a = lodemap.map().latLngToLayerPoint(bounds.getNorthWest());
    const b = lodemap.map().latLngToLayerPoint(bounds.getSouthEast());
    return Math.min(b.x - a.x, b.y - a.y) > ROOM;
  }

  /**
   * Take a layer of sites. Numbers stand inside large ones and beside small ones; where
   * there is no room for all, the better site keeps its number.
   */
  function sites(id) {
    lodemap.layer(id);
    lodemap.marks.forEach((mark) => {
      if (mark.family !== 'site') return;
      mark.rank += Number(mark.label || 0) / 1000;
      Object.defineProperty(mark, 'place', { get: () => (isRoomy(mark) ? 'middle' : '') });
    });
  }

  lodemap.sites = sites;
  lodemap.draw = (layer, feature) =>
    (layer.family === 'site' ? drawSite : drawMark)(layer, feature);
})();
