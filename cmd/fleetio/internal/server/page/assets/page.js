'use strict';

// The page is complete without this script. The script does what a reload would do whenever the server says that there
// is something new, but keeps focus, scroll positions and the chosen exchange. It makes no HTML of strings: it asks for
// the page again, as a document that runs nothing, and copies elements over.
(() => {
  const between = 250; // milliseconds between two requests for the page, at least
  const silence = 3000; // milliseconds between two announcements, at least
  const element = (id) => document.getElementById(id);

  let events = null;
  let paused = false;
  let lost = false;
  let running = false;
  let again = false;
  let shown = location.search;
  let wanted = '';
  let silent = false;
  let arrived = 0; // exchanges that were not announced
  let unsaid = []; // what else was not

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

  // leave hands the focus on before an element goes.
  function leave(gone) {
    if (!gone.contains(document.activeElement)) return;
    (gone.parentElement.closest('[tabindex]') ?? document.querySelector('.scroll')).focus();
  }

  // merge makes a list say what the fresh one says, child by child. What both say is neither replaced nor moved, so that
  // focus and scroll positions stay.
  function merge(list, fresh) {
    const known = new Map(Array.from(list.children, (child) => [child.id, child]));
    const kept = new Set(Array.from(fresh.children, (child) => child.id));
    for (const [id, child] of known) {
      if (kept.has(id)) continue;
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

  // change makes an element say what the fresh one says, and returns it, or what took its place. Rows are merged, and a
  // link stays where it is.
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
      if (!paused && fresh && fresh.getElementById('exchanges')) update(fresh);
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
      location.reload(); // the sandbox began anew, and nothing here is right any more
      return;
    }
    mark(fresh);
    const lists = ['limits', 'faults'];
    if (list.dataset.live) lists.push('exchanges', 'kept');
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

  // lead shows the way to the next exchange when that has arrived.
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

  // announce tells those who listen what came, at once, and then no more for a while.
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

  // connection tells when the connection is lost, and when it is back, once each.
  function connection(isLost) {
    say(isLost ? 'Not connected' : 'Live', isLost ? 'fails' : 'conforms');
    if (isLost === lost) return;
    lost = isLost;
    unsaid.push(isLost ? 'The connection is lost.' : 'The connection is back.');
    announce();
  }

  // listen is called again when the page is shown again: browsers have few connections, and one that nobody looks at
  // needs none.
  function listen() {
    if (events) events.close();
    events = null;
    if (paused || document.hidden) return;
    say('Connecting', 'none');
    const mine = new EventSource('events?after=' + element('exchanges').dataset.newest);
    events = mine;
    mine.onopen = () => {
      connection(false);
      refresh();
    };
    mine.onmessage = refresh;
    mine.onerror = () => {
      connection(true);
      // The browser tries again by itself, but for a response that is no stream.
      if (mine.readyState === EventSource.CLOSED) setTimeout(() => mine === events && listen(), 5000);
    };
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

  // ready shows the buttons, which do nothing without the script.
  function ready() {
    for (const button of document.querySelectorAll('button')) button.hidden = false;
  }

  async function copy(button) {
    const command = element(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(command.textContent);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(command); // for the reader to copy
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
    // A link to a finding changes the address, too.
    if (location.search !== shown) choose(location.href, false);
  });
  document.addEventListener('visibilitychange', listen);
  element('pause').addEventListener('click', (event) => {
    paused = !paused;
    event.target.textContent = paused ? 'Go on' : 'Pause';
    listen();
    if (paused) say('Paused', 'none');
  });
  ready();
  listen();
})();
