/* Sites: often smaller than a fingertip, so what is seen and what is hit differ. */
(() => {
  'use strict';

  const drawMark = lodemap.draw;

  /** A site as a cased outline, under a wider one that nobody sees and that is hit. */
  function drawSite(layer, feature) {
    const { target } = drawMark(layer, feature);
    const kind = `role-${layer.role} mark-${layer.family}`;
    const flat = { pane: layer.pane, interactive: false, smoothFactor: 0.3 };
    const seen = ['casing-site', 'ink-site'].map((name) =>
      L.polygon(target.getLatLngs(), { ...flat, className: `${kind} ${name}` }));
    target.options.className = `${kind} hit-site`;
    target.options.dashArray = null;
    return { parts: [...seen, target], target };
  }

  lodemap.draw = (layer, feature) =>
    (layer.family === 'site' ? drawSite : drawMark)(layer, feature);
})();
