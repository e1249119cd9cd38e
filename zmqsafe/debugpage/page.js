"use strict";
(() => {
  const every = 2000, patience = 10000; // ms
  const state = document.getElementById("state"), button = document.getElementById("pause");
  let paused = false, timer = 0, lastGood = new Date();

  // same makes node like fresh and touches only what differs, so that scrolling, the
  // focus and a selection stay where they are.
  const same = (node, fresh) => {
    if (node.nodeName !== fresh.nodeName || node.id !== fresh.id) {
      node.replaceWith(fresh);
      return;
    }
    if (node.nodeType !== Node.ELEMENT_NODE) {
      if (node.data !== fresh.data) node.data = fresh.data;
      return;
    }
    for (const name of node.getAttributeNames()) {
      if (!fresh.hasAttribute(name)) node.removeAttribute(name);
    }
    for (const name of fresh.getAttributeNames()) {
      if (node.getAttribute(name) !== fresh.getAttribute(name)) node.setAttribute(name, fresh.getAttribute(name));
    }
    const olds = [...node.childNodes], news = [...fresh.childNodes];
    news.forEach((child, i) => (i < olds.length ? same(olds[i], child) : node.append(child)));
    olds.slice(news.length).forEach((child) => child.remove());
  };

  const say = (text, stale) => {
    if (state.textContent !== text) state.textContent = text; // it is read out when it changes
    document.body.classList.toggle("stale", stale);
  };

  const renew = async () => {
    clearTimeout(timer);
    try {
      const answer = await fetch(location.href, {
        cache: "no-store", headers: { Accept: "text/html" }, signal: AbortSignal.timeout(patience),
      });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!answer.ok || !fresh.querySelector("main")) throw new Error(`the answer is ${answer.status}`);
      if (!paused) {
        same(document.querySelector("main"), fresh.querySelector("main"));
        document.title = fresh.title;
        say("Renewed every 2 seconds.", false);
      }
      lastGood = new Date();
    } catch (err) {
      if (!paused) say(`Not renewed since ${lastGood.toLocaleTimeString()} (${err.message}). Has the program ended?`, true);
    }
    plan();
  };

  const plan = () => {
    clearTimeout(timer);
    if (!paused && !document.hidden) timer = setTimeout(renew, every);
  };

  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    if (paused) {
      say("Paused.", false);
      plan();
    } else {
      say("Renewed every 2 seconds.", false);
      renew();
    }
  });
  document.addEventListener("visibilitychange", () => (document.hidden || paused ? plan() : renew()));
  say("Renewed every 2 seconds.", false);
  plan();
})();
