/* Rasters: a picture under the marks, its row of the legend, its opacity. */
(() => {
  'use strict';

  /** The slider in the legend that sets a raster's opacity. */
  function sliderOf(key) {
    return document.querySelector(`#legend input[data-opacity="${CSS.escape(key)}"]`);
  }

  /** Take a raster, described by the JSON in the element of that id. */
  function overlay(id) {
    const { mark, image } = JSON.parse(document.getElementById(id).textContent);
    const map = lodemap.map();
    if (!map.getPane('rasters')) {
      const pane = map.createPane('rasters');
      pane.style.zIndex = 310;
      pane.style.pointerEvents = 'none';
    }
    const slider = sliderOf(mark);
    const picture = L.imageOverlay(image.url, image.bounds, {
      pane: 'rasters', interactive: false, alt: '', className: 'raster',
      opacity: Number(slider.value) / 100,
    });

    /** Keep picture, number and spoken text in step with the slider. */
    function fade() {
      picture.setOpacity(Number(slider.value) / 100);
      slider.nextElementSibling.textContent = `${slider.value} %`;
      slider.setAttribute('aria-valuetext', lodemap.t('{0} per cent', slider.value));
    }

    slider.addEventListener('input', fade);
    lodemap.layer(id);
    lodemap.whenPlaced(() => {
      const on = lodemap.shown(mark);
      slider.disabled = !on;
      if (!on) {
        picture.remove();
        return;
      }
      if (!map.hasLayer(picture)) picture.addTo(map);
      const [[, west], [, east]] = image.bounds;
      const zoomed = map.latLngToLayerPoint([0, east]).x - map.latLngToLayerPoint([0, west]).x;
      picture.getElement().classList.toggle('is-coarse', zoomed > 1.5 * image.columns);
    });
    fade();
  }

  lodemap.overlay = overlay;
})();
