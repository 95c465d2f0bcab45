/* The story's own controls: the price slider and the date of the measures. */
(() => {
  'use strict';

  const byId = (id) => document.getElementById(id);

  /** A number with two significant digits and thousands apart. */
  function rough(value) {
    return new Intl.NumberFormat('en', { maximumSignificantDigits: 2 }).format(value);
  }

  /** Tonnes and years to repay at a price; the same sums as `Repayment.at`. */
  function repay(amount, throughput, price) {
    const tonnes = amount / price;
    return { tonnes, years: tonnes / throughput };
  }

  /** Keep slider, number and results in step. The slider moves by powers of ten. */
  function startPrice() {
    const form = byId('repayment');
    if (!form) return;
    const [slider, field] = [byId('price-slider'), byId('price')];
    const [amount, throughput] = [form.dataset.amount, form.dataset.throughput].map(Number);
    const oxide = [form.dataset.oxideLow, form.dataset.oxideHigh].map(Number);
    const share = byId('repay-oxide');

    function update(price) {
      if (!(price > 0)) return;
      const { tonnes, years } = repay(amount, throughput, price);
      byId('repay-tonnes').textContent = `${rough(tonnes)} t`;
      byId('repay-tonnes').dataset.value = String(tonnes);
      lodemap.tell(byId('repay-years'), lodemap.t('{0} years', rough(years)));
      byId('repay-years').dataset.value = String(years);
      if (share) {
        const [low, high] = oxide.map((worth) => worth / price);
        share.textContent = rough(low) === rough(high) ? `${rough(low)} t`
          : `${rough(low)}–${rough(high)} t`;
        [share.dataset.low, share.dataset.high] = [low, high].map(String);
      }
      slider.setAttribute('aria-valuetext',
        lodemap.t('{0} US dollars a tonne', price.toLocaleString('en')));
    }

    slider.addEventListener('input', () => {
      const price = Number((10 ** Number(slider.value)).toPrecision(2));
      field.value = String(price);
      update(price);
    });
    field.addEventListener('input', () => {
      const price = Number(field.value);
      if (price > 0) slider.value = String(Math.log10(price));
      update(price);
    });
    update(Number(field.value));
    lodemap.whenSpoken(() => update(Number(field.value)));
  }

  /** Whether a measure was in force on a day; the same test as `layers.measures`. */
  function inForce({ from, to }, day) {
    return Boolean(from) && from <= day && (!to || day <= to);
  }

  /** Show the measures that were in force on the chosen day, and count them. */
  function startDate() {
    const field = byId('as-of');
    if (!field) return;
    const items = [...document.querySelectorAll('[data-measure]')];

    function update() {
      const day = field.value;
      if (!day) return;
      let count = 0;
      items.forEach((item) => {
        const on = inForce(item.dataset, day);
        item.hidden = !on;
        if (on) count += 1;
      });
      document.querySelectorAll('.tag[data-from]').forEach((tag) => {
        tag.hidden = !inForce(tag.dataset, day);
      });
      document.querySelectorAll('[data-leg]').forEach((leg) => {
        const left = leg.querySelectorAll('[data-measure]:not([hidden])').length;
        leg.querySelector('.none').hidden = left > 0;
      });
      lodemap.tell(byId('as-of-count'), lodemap.t(
        '{0} of {1} entries shown: measures in force on {2}.', count, items.length, day));
      document.querySelectorAll('.as-of-day').forEach((el) => { el.textContent = day; });
    }

    field.addEventListener('input', update);
    lodemap.whenSpoken(update);
    update();
  }

  /** Wire both. */
  function startStory() {
    startPrice();
    startDate();
  }

  lodemap.startStory = startStory;
})();
