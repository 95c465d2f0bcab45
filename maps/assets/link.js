/* Deep links: what a reader looks at stands in the address, behind its hash sign. */
(() => {
  'use strict';

  const LONGEST = 2000;
  const PAUSE_MS = 250;
  const fields = new Map();
  let waiting = 0;
  let ours = false;

  /**
   * Keep a part of the state in the address. `read` gives it as text, empty where it is
   * what the page opens with; `write` takes such a text, or null where there is none.
   */
  function keep(name, { read, write }) {
    fields.set(name, { read, write });
  }

  const encode = (text) => encodeURIComponent(text).replace(/%2F/g, '/').replace(/%2C/g, ',');

  /** The state as text, without the hash sign; empty for the page as it opens. */
  function compose() {
    return [...fields].map(([name, { read }]) => [name, read()])
      .filter(([, text]) => text).map(([name, text]) => `${name}=${encode(text)}`).join('&');
  }

  /** Values by name from a hash; null if it is none of ours or could not be one. */
  function parse(hash) {
    if (hash.length > LONGEST) return null;
    const found = new Map();
    for (const part of hash.replace(/^#/, '').split('&')) {
      const [name, ...rest] = part.split('=');
      if (!fields.has(name) || !rest.length) continue;
      try {
        found.set(name, decodeURIComponent(rest.join('=')));
      } catch {
        return null;
      }
    }
    return found.size ? found : null;
  }

  /** The address of the page with another hash. */
  function address(hash) {
    const base = window.location.href.split('#')[0];
    return hash ? `${base}#${hash}` : base;
  }

  /** Write the state to the address, in place of what stood there. */
  function write() {
    waiting = 0;
    const hash = compose();
    if (!hash && !ours) return;
    if (`#${hash}` === window.location.hash) return;
    ours = Boolean(hash);
    try {
      window.history.replaceState(window.history.state, '', address(hash));
    } catch {
      ours = false; // a frame without an origin of its own has no address to keep
    }
  }

  /** Note that something changed; the address follows once it is still. */
  function changed() {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(write, PAUSE_MS);
  }

  /** Bring the page into the state that the address names; others are left alone. */
  function restore() {
    const { hash } = window.location;
    const found = parse(hash);
    if (found) {
      ours = true;
      fields.forEach((field, name) => field.write(found.has(name) ? found.get(name) : null));
      return;
    }
    const card = hash.startsWith('#card-') && [...lodemap.marks.values()]
      .find((mark) => `#${mark.card}` === hash);
    if (card) lodemap.select(card.key, { from: 'link' });
  }

  /** Put a text on the clipboard; false where neither way is allowed. */
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const field = document.createElement('textarea');
      field.value = text;
      field.className = 'sr';
      document.body.append(field);
      field.select();
      const done = document.execCommand('copy');
      field.remove();
      return done;
    }
  }

  /** Copy a link to what is open, and say whether that worked. */
  async function copyLink(button) {
    window.clearTimeout(waiting);
    write();
    const done = await copy(address(compose()));
    const said = document.getElementById('copied');
    said.textContent = done ? lodemap.t('Link copied')
      : lodemap.t('The link could not be copied');
    lodemap.announce(said.textContent);
    window.setTimeout(() => { said.textContent = ''; }, 4000);
    button.focus({ preventScroll: true });
  }

  /** View, layers and card; called once the map is drawn. */
  function startLink(map, layers) {
    keep('layers', {
      read: () => [...layers()].filter(({ on, first }) => on !== first)
        .map(({ key, on }) => (on ? key : `-${key}`)).join(','),
      write: (text) => {
        const asked = new Map((text || '').split(',').map((name) =>
          [name.replace(/^-/, ''), !name.startsWith('-')]));
        [...layers()].forEach(({ key, on, first }) => {
          const wanted = asked.has(key) ? asked.get(key) : first;
          if (wanted !== on) lodemap.show(key, wanted);
        });
      },
    });
    keep('map', {
      read: () => {
        if (!lodemap.touched()) return '';
        const { lat, lng } = map.getCenter();
        return [map.getZoom().toFixed(2), lat.toFixed(4), lng.toFixed(4)].map(Number).join('/');
      },
      write: (text) => {
        const parts = (text || '').split('/');
        const [zoom, lat, lng] = parts.map((part) => (/^-?\d{1,3}(\.\d+)?$/.test(part)
          ? Number(part) : NaN));
        if (parts.length !== 3 || !(zoom >= map.getMinZoom() && zoom <= map.getMaxZoom())
          || !(Math.abs(lat) <= 85 && Math.abs(lng) <= 180)) return;
        lodemap.touch();
        map.setView([lat, lng], zoom, { animate: false });
      },
    });
    keep('feature', {
      read: () => lodemap.chosen()?.key || '',
      write: (text) => {
        if (text === (lodemap.chosen()?.key || null)) return;
        const still = parse(window.location.hash)?.has('map');
        if (text && lodemap.marks.has(text)) lodemap.select(text, { from: 'link', still });
        else if (lodemap.chosen()) lodemap.close();
      },
    });
    lodemap.whenPlaced(changed);
    window.addEventListener('hashchange', restore);
    restore();
  }

  Object.assign(lodemap, { keep, changed, copyLink, startLink });
})();
