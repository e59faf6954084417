'use strict';

// The page works without this script. When the state of the sandbox changes, the script updates the page as a reload would, but
// preserves focus, scroll positions and the chosen exchange. It creates no HTML from strings: it loads the page again, as
// a document that runs no scripts, and copies its elements.
(() => {
  const between = 250; // minimum of milliseconds between two requests for the page
  const silence = 3000; // minimum of milliseconds between two announcements
  const interval = 500; // milliseconds between two requests for the state
  const element = (id) => document.getElementById(id);

  let state = ''; // as of the last update; '' to update in any case
  let timer = 0; // of the next request for the state
  let paused = false;
  let lost = null; // whether the connection is lost, or null if that is unknown
  let running = false;
  let again = false;
  let shown = location.search;
  let wanted = '';
  let silent = false;
  let arrived = 0; // exchanges to announce
  let unsaid = []; // other pending announcements

  function load(url, done) {
    const request = new XMLHttpRequest();
    request.open('GET', url);
    request.responseType = 'document';
    request.timeout = 10000;
    request.onloadend = () => done(request.response);
    request.send();
  }

  function say(text, kind) {
    element('state').textContent = text;
    element('state').className = 'tag ' + kind;
  }

  // leave moves the focus away from an element that will be removed.
  function leave(gone) {
    if (!gone.contains(document.activeElement)) return;
    (gone.parentElement.closest('[tabindex]') ?? document.querySelector('.scroll')).focus();
  }

  // merge updates the children of a list from the fresh one. It neither replaces nor moves equal children, to preserve
  // focus and scroll positions.
  function merge(list, fresh) {
    const known = new Map(Array.from(list.children, (child) => [child.id, child]));
    const remaining = new Set(Array.from(fresh.children, (child) => child.id));
    for (const [id, child] of known) {
      if (remaining.has(id)) continue;
      leave(child);
      child.remove();
    }
    let next = list.firstElementChild;
    for (const child of fresh.children) {
      const old = known.get(child.id);
      if (old && old !== next) list.insertBefore(old, next);
      if (old) next = change(old, child).nextElementSibling;
      else list.insertBefore(document.importNode(child, true), next);
    }
  }

  // change updates an element from the fresh one, and returns it or its replacement. It merges rows, and does not replace
  // links.
  function change(old, fresh) {
    const [rows, freshRows] = [old, fresh].map((e) => e.querySelector('tbody'));
    if (rows && freshRows) merge(rows, freshRows);
    if (old.isEqualNode(fresh)) return old;
    if (old.matches('a')) {
      old.href = fresh.getAttribute('href');
      return old;
    }
    const now = document.importNode(fresh, true);
    leave(old);
    old.replaceWith(now);
    return now;
  }

  function refresh() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    load(element('exchanges').dataset.live ?? './', (fresh) => {
      if (!paused && fresh?.getElementById('exchanges')) update(fresh);
      else state = '';
      setTimeout(() => {
        running = false;
        if (again) {
          again = false;
          refresh();
        }
      }, between);
    });
  }

  function update(fresh) {
    const list = element('exchanges');
    const seen = Number(list.dataset.newest);
    const newest = Number(fresh.getElementById('exchanges').dataset.newest);
    if (newest < seen) {
      location.reload(); // the sandbox was restarted
      return;
    }
    mark(fresh);
    const lists = ['limits', 'faults'];
    if (list.dataset.live) lists.push('exchanges', 'pages');
    for (const id of lists) merge(element(id), fresh.getElementById(id));
    list.dataset.newest = newest;
    const first = newest && element('first');
    if (first) {
      leave(first);
      first.remove();
    }
    lead();
    if (list.dataset.live) arrived += newest - seen;
    announce();
  }

  // lead shows the link to the next exchange once that has arrived.
  function lead() {
    const next = element('next');
    if (next && Number(next.dataset.number) <= Number(element('exchanges').dataset.newest)) next.hidden = false;
  }

  // mark marks the chosen exchange in a list.
  function mark(root) {
    root.querySelector('#exchanges [aria-current]')?.removeAttribute('aria-current');
    const row = root.getElementById('exchange-' + new URLSearchParams(location.search).get('exchange'));
    row?.querySelector('a')?.setAttribute('aria-current', 'true');
  }

  // announce announces news to screen readers at once, and then not again for a while.
  function announce() {
    if (silent || (!arrived && !unsaid.length)) return;
    const words = unsaid;
    const row = element('exchange-' + element('exchanges').dataset.newest);
    if (arrived > 1 || (arrived && !row)) words.push(arrived + (arrived > 1 ? ' new exchanges.' : ' new exchange.'));
    if (arrived && row) words.push(['Exchange', ...[0, 3, 2, 1].map((i) => row.cells[i].textContent)].join(' '));
    element('news').textContent = words.join(' ');
    unsaid = [];
    arrived = 0;
    silent = true;
    setTimeout(() => {
      silent = false;
      announce();
    }, silence);
  }

  // connection announces once when the connection is lost, and once when it is back.
  function connection(isLost) {
    if (isLost === lost) return;
    say(isLost ? 'Not connected' : 'Live', isLost ? 'fails' : 'conforms');
    const isNews = isLost || lost !== null;
    lost = isLost;
    if (!isNews) return;
    unsaid.push(isLost ? 'The connection is lost.' : 'The connection is back.');
    announce();
  }

  // poll asks for the state, again and again while the page is visible, and updates the page when it has changed.
  async function poll() {
    clearTimeout(timer);
    if (paused || document.hidden) return;
    let now = null;
    try {
      const response = await fetch('state', {signal: AbortSignal.timeout(5000)});
      if (response.ok) now = await response.text();
    } catch {} // without a connection
    if (paused) return;
    connection(now === null);
    if (now !== null && now !== state) {
      state = now;
      refresh();
    }
    clearTimeout(timer); // a second poll may have begun meanwhile
    timer = setTimeout(poll, interval);
  }

  function choose(url, push) {
    wanted = url;
    load(url, (fresh) => {
      if (wanted !== url) return;
      const chosen = fresh && fresh.getElementById('chosen');
      if (!chosen) {
        location.href = url;
        return;
      }
      if (push) history.pushState(null, '', url);
      shown = location.search;
      document.title = fresh.title;
      element('chosen').replaceWith(document.adoptNode(chosen));
      mark(document);
      lead();
      ready();
      element('chosen').scrollIntoView({block: 'start'});
      element('chosen-title').focus({preventScroll: true});
    });
  }

  // ready shows the buttons, which need the script.
  function ready() {
    for (const button of document.querySelectorAll('button')) button.hidden = false;
  }

  async function copy(button) {
    const command = element(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(command.textContent);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(command); // to be copied by hand
      button.textContent = 'Selected, copy it now';
    }
    element('news').textContent = button.textContent;
  }

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-copy]');
    if (button) copy(button);
    const link = event.target.closest('#exchanges a, a[data-choose]');
    const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !plain) return;
    event.preventDefault();
    choose(link.href, true);
  });
  document.addEventListener('keydown', (event) => {
    const row = event.target.closest('#exchanges tr');
    const next = row && {ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling}[event.key];
    if (!next) return;
    event.preventDefault();
    next.querySelector('a').focus();
  });
  addEventListener('popstate', () => {
    // A link to a finding also changes the URL.
    if (location.search !== shown) choose(location.href, false);
  });
  document.addEventListener('visibilitychange', poll);
  element('pause').addEventListener('click', (event) => {
    paused = !paused;
    event.target.textContent = paused ? 'Resume' : 'Pause';
    state = '';
    lost = null;
    say(paused ? 'Paused' : 'Connecting', 'none');
    poll();
  });
  ready();
  say('Connecting', 'none');
  poll();
})();
