'use strict';

// The page is complete without this script. The script does what a reload would do whenever the server says that there
// is something new, but keeps focus, scroll positions and the chosen exchange. It makes no HTML of strings: it asks for
// the page again, as a document that runs nothing, and moves elements over.
(() => {
  const lists = ['limits', 'exchanges', 'faults'];
  const between = 250; // milliseconds between two requests for the page, at least
  const element = (id) => document.getElementById(id);

  let events = null;
  let paused = false;
  let running = false;
  let again = false;
  let shown = location.search;
  let wanted = '';

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

  // merge makes a list say what the fresh one says, and leaves alone what both say.
  function merge(list, fresh) {
    const known = new Map(Array.from(list.children, (child) => [child.id, child]));
    let previous = null;
    for (const child of Array.from(fresh.children)) {
      const old = known.get(child.id);
      const now = old && old.isEqualNode(child) ? old : document.adoptNode(child);
      const next = previous ? previous.nextElementSibling : list.firstElementChild;
      if (now === old) known.delete(child.id);
      if (now !== next) list.insertBefore(now, next);
      previous = now;
    }
    for (const gone of known.values()) {
      if (gone.contains(document.activeElement)) list.parentElement.closest('[tabindex]')?.focus();
      gone.remove();
    }
  }

  function refresh() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    load('./', (fresh) => {
      if (fresh && fresh.getElementById('exchanges')) update(fresh);
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
    const chosen = document.querySelector('#exchanges [aria-current]');
    const row = chosen && fresh.getElementById(chosen.closest('tr').id);
    if (row) row.querySelector('a').setAttribute('aria-current', 'true');
    const seen = Number(element('exchanges').dataset.newest);
    const newest = Number(fresh.getElementById('exchanges').dataset.newest);
    for (const id of lists) merge(element(id), fresh.getElementById(id));
    element('kept').replaceWith(document.adoptNode(fresh.getElementById('kept')));
    element('exchanges').dataset.newest = newest;
    if (newest > seen) announce(newest - seen);
  }

  function announce(count) {
    const cells = element('exchanges').rows[0].cells;
    const text = ['Exchange', ...[0, 3, 2, 1].map((i) => cells[i].textContent)].join(' ');
    element('news').textContent = count === 1 ? text : count + ' new exchanges. ' + text;
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
      say('Live', 'conforms');
      refresh();
    };
    mine.onmessage = refresh;
    mine.onerror = () => {
      say('Not connected', 'fails');
      // The browser tries again by itself, but for an answer that is no stream.
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
      element('chosen').replaceWith(document.adoptNode(chosen));
      for (const link of document.querySelectorAll('#exchanges a')) {
        if (link.search === shown) link.setAttribute('aria-current', 'true');
        else link.removeAttribute('aria-current');
      }
      ready();
      element('chosen').scrollIntoView({block: 'start'});
      element('chosen-title').focus({preventScroll: true});
    });
  }

  // ready makes the buttons of a chosen exchange work.
  function ready() {
    const button = element('copy');
    if (!button) return;
    button.hidden = false;
    button.onclick = async () => {
      const command = element('command');
      try {
        await navigator.clipboard.writeText(command.textContent);
        button.textContent = 'Copied';
      } catch {
        getSelection().selectAllChildren(command); // for the reader to copy
        button.textContent = 'Selected, copy it now';
      }
      element('news').textContent = button.textContent;
    };
  }

  document.addEventListener('click', (event) => {
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
  element('pause').hidden = false;
  ready();
  listen();
})();
