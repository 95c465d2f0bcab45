/* Names of the features of large layers, once few are in view and the reader is near. */
(() => {
  'use strict';

  const MOST = 60;
  const LONGEST = 40;
  let found = [];
  let had = '';
  let turn = 0;

  /** Features in view of all layers as [layer, feature]; none where there are too many. */
  function inView(map) {
    if (!lodemap.shown('names') || map.getZoom() < lodemap.homeZoom() + 0.9) return [];
    const all = [];
    for (const layer of lodemap.manyLayers.values()) {
      if (!layer.shape || !layer.shown || layer.damaged || (layer.data.tiles && !layer.near)) continue;
      const here = layer.shape.within(layer.windows(), MOST + 1, layer.wanted);
      all.push(...here.map((i) => [layer, i]));
    }
    return all.length > MOST ? [] : all;
  }

  /** A feature as labels.js takes marks; without a label where it has no name that fits. */
  async function named(map, layer, i) {
    const [name, ko, zh] = await Promise.all(['name', 'name_ko', 'name_zh'].map(async (column) => {
      const text = (await layer.column(column))?.at(i) ?? '';
      return text.length > LONGEST ? '' : text;
    }));
    const { shape } = layer;
    const [lon, lat] = shape.anchor(i);
    const turned = 360 * Math.round((map.getCenter().lng - lon) / 360);
    const anchor = [lon + turned, lat];
    const mark = { key: `name ${lodemap.manyKey(layer, i)}`, mark: layer.key, family: 'added',
      role: layer.data.role, rank: 5, name, ko, zh, label: name, anchor };
    if (shape.kinds[i] === 1) mark.at = anchor;
    else mark.place = 'middle';
    return mark;
  }

  /** Look what is in view now, and have its names placed if that is something else. */
  async function look() {
    const map = lodemap.map();
    const features = inView(map);
    const key = features.map((one) => lodemap.manyKey(...one)).join() + lodemap.language();
    if (key === had) return;
    had = key;
    turn += 1;
    const mine = turn;
    const marks = await Promise.all(features.map((one) => named(map, ...one))).catch(() => []);
    if (mine !== turn) return;
    found = marks;
    lodemap.placeNames();
  }

  Object.assign(lodemap, {
    labelMany: (layer) => layer.listeners.push(look),
    passing: () => found,
  });
  lodemap.whenPlaced(look);
})();
