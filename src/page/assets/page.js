// Makes the pages live. They work without it: links and forms are plain HTML.
//
// Before: the server has drawn the page. After: GET /api/stream says what has changed, GET /fragments/{part} has the HTML of a part.
// Promise: nothing that a person types, chooses or looks at is lost when a part is replaced. A page that has not heard of the server for
// STALE_MS says so. A critical alert sounds until somebody takes it on, and the page says when the browser does not let it sound.
//
// What the server draws for it: src/page/layout.rs (header, notices), src/page/wall/ (parts), src/page/shortcuts.rs (dialog).

const STALE_MS = 25_000;
// How soon a part is fetched again. What is far from urgent is drawn from many rows.
const SPACING_MS = {
  alerts: 1_000, "alert-list": 1_000, "person-now": 1_000, counters: 5_000, watches: 5_000,
  units: 10_000, map: 10_000, "alert-hours": 10_000, latest: 10_000,
};
// Which parts an event concerns. `latest` brings the values of the ticker with it.
const PARTS = {
  alert: ["alerts", "alert-list", "counters", "alert-hours", "map", "person-now"],
  device: ["watches", "units", "person-now"],
  latest: ["counters", "units", "map", "person-now"],
};
// What no event reports: people who go offline by the clock, rows that a policy has removed.
const REFRESH_MS = 60_000;
const PAUSE_MS = 5 * 60_000;
const TICKER_ROWS = 12;
const FORM_TIMEOUT_MS = 15_000;

const { body } = document;
const byId = (id) => document.getElementById(id);
const random = (from, to) => from + Math.random() * (to - from);
const setText = (element, text) => {
  if (element && element.textContent !== text) element.textContent = text;
};
const store = {
  get: (name) => { try { return localStorage.getItem(`vitals.${name}`); } catch { return null; } },
  set: (name, value) => { try { localStorage.setItem(`vitals.${name}`, value); } catch { /* a private window */ } },
};

// ---- time ----

// How far the clock of the server is ahead of that of the browser.
let skewMs = 0;
const now = () => Date.now() + skewMs;

// As src/page/format.rs.
function elapsed(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;
  if (hours === 0) return `${two(minutes)}:${two(seconds % 60)}`;
  if (hours < 48) return `${hours}:${two(minutes)}:${two(seconds % 60)}`;
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`;
}

// The time of day in the zone of the page: the server wrote one time in both forms.
const zoneOffsetSeconds = (() => {
  const clock = byId("clock");
  const [hours, minutes, seconds] = (clock?.textContent ?? "").split(":").map(Number);
  if (!Number.isFinite(seconds)) return -new Date().getTimezoneOffset() * 60;
  return hours * 3600 + minutes * 60 + seconds - Math.floor(Date.parse(clock.dateTime) / 1000) % 86_400;
})();
const timeOfDay = (ms) => {
  const seconds = Math.floor(ms / 1000) + zoneOffsetSeconds;
  return new Date((((seconds % 86_400) + 86_400) % 86_400) * 1000).toISOString().slice(11, 19);
};

function everySecond() {
  showState();
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-elapsed]")) {
    setText(time, elapsed(Math.max(0, Math.floor((now() - Date.parse(time.dateTime)) / 1000))));
  }
}

// ---- live, or as of when ----

let lastEventAt = 0;
let asOf = null;

function showState() {
  const live = byId("live");
  if (!live || !body.dataset.stream) return;
  const isLive = Date.now() - lastEventAt < STALE_MS && asOf !== null && now() - asOf < STALE_MS;
  const drawnAt = asOf ?? Date.parse(byId("clock")?.dateTime ?? "");
  const at = timeOfDay(isLive ? now() : drawnAt);
  setText(byId("clock"), at);
  const state = isLive ? "live" : lastEventAt === 0 && performance.now() < STALE_MS ? "waiting" : "stale";
  setText(byId("live-text"), state === "live" ? live.dataset.liveText : live.dataset.asOfText);
  if (live.dataset.state === state) return;
  live.dataset.state = state;
  body.toggleAttribute("data-stale", state === "stale");
  const notice = byId("stale-notice");
  if (notice) {
    notice.hidden = state !== "stale";
    setText(notice, state === "stale" ? `${notice.dataset.staleText} ${at}` : "");
  }
}

// ---- what is read aloud ----

function announce(text, isUrgent) {
  const region = byId(isUrgent ? "announce-urgent" : "announce-polite");
  if (!region || !text) return;
  // Empty first: the same words twice would be read once.
  region.textContent = "";
  requestAnimationFrame(() => { region.textContent = text; });
}

// ---- parts ----

const partElement = (name) => document.querySelector(`[data-live="${name}"]`);
const fetchedAt = new Map();
const timers = new Map();
const wanted = new Set();

function want(name) {
  if (!partElement(name)) return;
  wanted.add(name);
  if (document.hidden || timers.has(name)) return;
  const wait = Math.max(0, (fetchedAt.get(name) ?? -Infinity) + (SPACING_MS[name] ?? 1_000) - Date.now());
  // Walls that receive the same event do not all ask at the same moment.
  timers.set(name, setTimeout(refresh, wait + random(0, 100), name));
}

const wantAll = () => document.querySelectorAll("[data-live]").forEach((part) => want(part.dataset.live));

async function refresh(name) {
  wanted.delete(name);
  fetchedAt.set(name, Date.now());
  const part = partElement(name);
  const query = part?.dataset.liveQuery ?? location.search.slice(1);
  try {
    const answer = await fetch(`/fragments/${name}${query ? `?${query}` : ""}`, {
      headers: { Accept: "text/html" }, signal: AbortSignal.timeout(FORM_TIMEOUT_MS),
    });
    if (answer.status === 401 || answer.status === 403 || new URL(answer.url).pathname === "/login") return location.reload();
    if (!answer.ok) throw new Error(`${answer.status}`);
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    replace(partElement(name), template.content.querySelector(`[data-live="${name}"]`));
  } catch {
    setTimeout(want, random(2_000, 8_000), name);
  } finally {
    timers.delete(name);
    if (wanted.has(name)) want(name);
  }
}

// Where an element stands in a part: its id, else its place among its siblings, below the row of an alert if it is in one.
function pathOf(element, part) {
  const steps = [];
  for (let each = element; each !== part; each = each.parentElement) {
    if (each.id) { steps.unshift(`#${CSS.escape(each.id)}`); break; }
    if (each.dataset.alert) { steps.unshift(`[data-alert="${CSS.escape(each.dataset.alert)}"]`); break; }
    const number = 1 + [...each.parentElement.children].filter((sibling) => sibling.tagName === each.tagName).indexOf(each);
    steps.unshift(`${each.tagName.toLowerCase()}:nth-of-type(${number})`);
  }
  return steps.join(" > ");
}

function find(part, path) {
  if (path === "") return part;
  return path.startsWith("#") || path.startsWith("[") ? part.querySelector(path) : part.querySelector(`:scope > ${path}`);
}

const fields = (part) => part.querySelectorAll("input:not([type=hidden]), textarea, select");
const isChanged = (field) => field.tagName === "SELECT"
  ? [...field.options].some((option) => option.selected !== option.defaultSelected) && field.selectedIndex > 0
  : field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
const isSame = (field, other) => field.name === other.name && field.type === other.type &&
  (!["checkbox", "radio"].includes(field.type) || field.value === other.value);

function keepInput(part, next) {
  for (const field of [...fields(part)].filter(isChanged)) {
    const twin = [...fields(next)].find((other) => isSame(field, other));
    if (!twin) continue;
    if (field.type === "checkbox" || field.type === "radio") twin.checked = field.checked;
    else twin.value = field.value;
  }
  for (const details of part.querySelectorAll("details[open]")) {
    const twin = find(next, pathOf(details, part));
    if (twin) twin.open = true;
  }
}

function replace(part, next) {
  if (!part || !next || part.isEqualNode(next)) return;
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const focusPath = focused && pathOf(focused, part);
  const selection = focused && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd] : null;
  const scrolled = [part, ...part.querySelectorAll("*")]
    .filter((each) => each.scrollTop > 0 || each.scrollLeft > 0)
    .map((each) => [each === part ? "" : pathOf(each, part), each.scrollTop, each.scrollLeft]);
  const known = alertsIn(part);
  keepInput(part, next);
  part.replaceWith(next);
  for (const [path, top, left] of scrolled) {
    const twin = find(next, path);
    if (twin) [twin.scrollTop, twin.scrollLeft] = [top, left];
  }
  if (focused) {
    const twin = find(next, focusPath) ?? next.querySelector("[data-alert] a, [data-alert] button, a, button") ?? byId("main");
    if (twin && focused.getAttribute("tabindex") === "-1") twin.tabIndex = -1;
    twin?.focus({ preventScroll: true });
    if (selection && selection[0] !== null) { try { twin.setSelectionRange(...selection); } catch { /* has no text */ } }
  }
  everySecond();
  if (next.dataset.live === "alerts") alertsDrawn(known, next);
}

// ---- alerts: sound, words ----

// The rows of open alerts in a part, by what tells them apart.
function alertsIn(part) {
  const rows = new Map();
  for (const row of part?.querySelectorAll("[data-severity][data-status]") ?? []) {
    const began = row.querySelector("time[data-elapsed]")?.dateTime;
    rows.set(row.dataset.alert ?? `${row.dataset.announce} ${began}`, row);
  }
  return rows;
}

const isUnanswered = (row) => row.dataset.severity === "critical" && row.dataset.status === "firing" && row.dataset.historical === undefined;

function alertsDrawn(known, part) {
  const rows = alertsIn(part);
  for (const [key, row] of rows) {
    if (known.has(key)) continue;
    announce(row.dataset.announce, row.dataset.severity === "critical");
    row.dataset.new = "";
  }
  alarm.set(new Set([...rows].filter(([, row]) => isUnanswered(row)).map(([key]) => key)));
}

const alarm = {
  unanswered: new Set(),
  // Alerts that were known when the sound was paused.
  quiet: new Set(),
  pausedUntil: 0,
  isOn: store.get("sound") !== "off",
  context: null,
  timer: null,

  set(unanswered) {
    // A new alarm breaks through a pause.
    if ([...unanswered].some((key) => !this.unanswered.has(key) && !this.quiet.has(key))) this.pausedUntil = 0;
    this.unanswered = unanswered;
    const title = document.title.replace(/^\(\d+\) /, "");
    document.title = unanswered.size > 0 ? `(${unanswered.size}) ${title}` : title;
    this.show();
  },

  wants() { return this.isOn && this.unanswered.size > 0 && Date.now() >= this.pausedUntil; },

  // The browser lets a page sound once a person has used it.
  async ready() {
    this.context ??= new AudioContext();
    if (this.context.state !== "running") {
      await Promise.race([this.context.resume(), new Promise((done) => setTimeout(done, 200))]).catch(() => {});
    }
    return this.context.state === "running";
  },

  beep() {
    const { context } = this, start = context.currentTime;
    for (const [at, frequency] of [[0, 880], [0.25, 660], [0.5, 880]]) {
      const tone = new OscillatorNode(context, { frequency, type: "triangle" });
      const volume = new GainNode(context, { gain: 0 });
      tone.connect(volume).connect(context.destination);
      volume.gain.setTargetAtTime(0.4, start + at, 0.01);
      volume.gain.setTargetAtTime(0, start + at + 0.18, 0.02);
      tone.start(start + at);
      tone.stop(start + at + 0.3);
    }
  },

  async show() {
    const sound = byId("sound");
    if (!sound) return;
    sound.hidden = false;
    clearTimeout(this.timer);
    const rings = this.wants();
    const isReady = rings && await this.ready();
    clearTimeout(this.timer);
    if (rings !== this.wants()) return this.show();
    const isPaused = this.isOn && Date.now() < this.pausedUntil;
    const state = !this.isOn ? "off" : isPaused ? "paused" : !rings ? "silent" : isReady ? "ringing" : "blocked";
    sound.dataset.state = state;
    const notice = byId("sound-notice");
    if (notice) notice.hidden = state !== "blocked";
    byId("sound-toggle")?.setAttribute("aria-pressed", String(this.isOn));
    setText(byId("sound-toggle"), { off: sound.dataset.offText, paused: sound.dataset.pausedText }[state] ?? sound.dataset.onText);
    byId("sound-pause")?.setAttribute("aria-pressed", String(isPaused));
    if (state === "ringing") this.beep();
    const again = { ringing: 2_000, blocked: 2_000, paused: this.pausedUntil - Date.now() }[state];
    if (again !== undefined) this.timer = setTimeout(() => this.show(), Math.max(again, 50));
  },

  toggle() {
    this.isOn = !this.isOn;
    this.pausedUntil = 0;
    store.set("sound", this.isOn ? "on" : "off");
    this.show();
  },

  pause() {
    const isPaused = Date.now() < this.pausedUntil;
    this.pausedUntil = isPaused ? 0 : Date.now() + PAUSE_MS;
    this.quiet = new Set(this.unanswered);
    this.show();
  },

  async test() {
    if (await this.ready()) this.beep();
    const notice = byId("sound-notice");
    if (notice) notice.hidden = this.context.state === "running";
  },
};

// On a page without the list of open alerts the API knows which sound.
const hasAlerts = () => partElement("alerts") !== null;
let alarmTimer = null;
function askForAlarms() {
  if (hasAlerts() || body.dataset.kiosk !== undefined || alarmTimer) return;
  alarmTimer = setTimeout(async () => {
    alarmTimer = null;
    try {
      const answer = await fetch("/api/alerts?status=firing&severity=critical&historical=false&limit=500");
      if (!answer.ok) return;
      const { alerts } = await answer.json();
      alarm.set(new Set(alerts.map((alert) => alert.alert_id)));
    } catch { /* the next event asks */ }
  }, random(0, 300));
}

// ---- the stream ----

let source = null;
let lastId = null;
let failures = 0;

function listen() {
  source?.close();
  const url = new URL(body.dataset.stream, location.href);
  if (lastId) url.searchParams.set("last_event_id", lastId);
  source = new EventSource(url);
  source.onerror = () => {
    // Of our own, for browsers reconnect all at the same moment, and not at all after an answer such as 503.
    // An answer that is no stream: perhaps nobody is logged in any more, which a part finds out.
    if (source.readyState === EventSource.CLOSED) wantAll();
    source.close();
    failures += 1;
    setTimeout(listen, random(1_000, Math.min(3_000 * failures, 30_000)));
  };
  const on = (name, act) => source.addEventListener(name, (event) => {
    failures = 0;
    lastEventAt = Date.now();
    if (event.lastEventId) lastId = event.lastEventId;
    act(JSON.parse(event.data));
    showState();
  });
  on("hello", hello);
  on("tick", keepTime);
  on("reset", () => { wantAll(); askForAlarms(); });
  on("alert", (alert) => {
    PARTS.alert.forEach(want);
    askForAlarms();
    if (!hasAlerts() && alert.changes.includes("fired") && !alert.historical) {
      announce(`${alert.user_name ?? alert.device_sn ?? ""}: ${alert.message ?? alert.type}`, alert.severity === "critical");
    }
  });
  on("device", () => PARTS.device.forEach(want));
  on("latest", (latest) => {
    latest.devices.slice(0, TICKER_ROWS).reverse().forEach(showLatest);
    PARTS.latest.filter((part) => part !== "person-now" || latest.more || latest.devices.some(concernsPerson)).forEach(want);
    if (latest.devices.length === 0) want("latest");
  });
}

function keepTime({ now: serverNow, as_of: readAt }) {
  if (serverNow) skewMs = Date.parse(serverNow) - Date.now();
  if (readAt) asOf = Date.parse(readAt);
}

function hello(event) {
  keepTime(event);
  if (body.dataset.kiosk !== undefined && event.version !== body.dataset.version) {
    // Not all walls at once.
    setTimeout(() => location.reload(), random(0, 5_000));
  }
  // What was committed between the drawing of the page and the beginning of the stream.
  if (!event.resumed) wantAll();
  askForAlarms();
}

function concernsPerson(row) {
  const query = new URLSearchParams(partElement("person-now")?.dataset.liveQuery ?? "");
  return [...query].some(([name, value]) => row[name] === value) || ![...query.keys()].some((name) => name in row);
}

function showLatest(row) {
  const ticker = byId("ticker"), template = byId("ticker-row");
  if (!ticker || !template || document.hidden) return;
  const item = template.content.firstElementChild.cloneNode(true);
  if (row.device_sn) item.dataset.device = row.device_sn;
  for (const place of item.querySelectorAll("[data-field]")) {
    const name = place.dataset.field, value = row[name] ?? (name === "user_name" ? row.device_sn : undefined);
    if (value === undefined) (place.closest("[data-metric]") ?? place).remove();
    else if (name === "ts") { place.dateTime = value; place.textContent = timeOfDay(Date.parse(value)); }
    else if (name === "user_name" && row.device_sn && body.dataset.kiosk === undefined) place.replaceChildren(subjectLink(row, value));
    else place.textContent = value;
  }
  if (row.device_sn) ticker.querySelector(`[data-device="${CSS.escape(row.device_sn)}"]`)?.remove();
  ticker.prepend(item);
  ticker.parentElement.querySelector(".empty")?.remove();
  while (ticker.children.length > TICKER_ROWS) ticker.lastElementChild.remove();
}

function subjectLink(row, name) {
  const link = document.createElement("a");
  link.className = "subject";
  link.href = row.user_id ? `/people/${row.user_id}` : `/devices/${encodeURIComponent(row.device_sn)}`;
  link.textContent = name;
  return link;
}

// ---- forms about alerts: without leaving the page ----

async function sendForm(event) {
  const form = event.target, button = event.submitter;
  // Attributes: a field may be called as a property of the form is.
  const action = new URL(button?.getAttribute("formaction") ?? form.getAttribute("action") ?? "", location.href);
  const isOurs = form.getAttribute("method") === "post" && action.origin === location.origin && action.pathname.startsWith("/alerts/");
  if (!isOurs || form.dataset.plain !== undefined || event.defaultPrevented) return;
  event.preventDefault();
  if (form.getAttribute("aria-busy") === "true") return;
  form.setAttribute("aria-busy", "true");
  let page = null, isOk = false;
  try {
    const answer = await fetch(action, {
      method: "POST", body: new URLSearchParams(new FormData(form, button)), headers: { Accept: "text/html" },
      signal: AbortSignal.timeout(FORM_TIMEOUT_MS),
    });
    if (new URL(answer.url).pathname === "/login") return location.reload();
    isOk = answer.ok;
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    // As if this module were not there: the browser shows what is wrong.
    form.dataset.plain = "";
    form.removeAttribute("aria-busy");
    return form.requestSubmit(button);
  }
  form.removeAttribute("aria-busy");
  if (isOk) form.reset();
  showResult(page, isOk);
}

// What the page says that follows a form: its parts, and its words.
function showResult(page, isOk) {
  const words = page.querySelector(".flash") ?? (isOk ? null : page.querySelector("main"));
  if (isOk) {
    const parts = [...document.querySelectorAll("[data-live]")].map((part) => [part, page.querySelector(`[data-live="${part.dataset.live}"]`)]);
    if (parts.some(([, next]) => next)) parts.forEach(([part, next]) => next && replace(part, document.adoptNode(next)));
    else if (page.querySelector("main")?.id === "main" && page.querySelector("h1")?.textContent === document.querySelector("h1")?.textContent) {
      byId("main").replaceChildren(...document.adoptNode(page.querySelector("main")).childNodes);
    }
    wantAll();
    askForAlarms();
  }
  const text = words?.textContent.trim().replace(/\s+/g, " ") ?? "";
  announce(text, !isOk);
  const old = document.querySelector("main > .flash");
  if (words && text) {
    const shown = document.createElement("p");
    shown.className = isOk ? "flash" : "flash refused";
    shown.textContent = text;
    if (old) old.replaceWith(shown);
    else byId("main")?.prepend(shown);
  } else old?.remove();
}

// ---- keyboard ----

const GO = { w: "/wall", a: "/alerts", p: "/people" };
let isGoing = false;
const shortcutsAreOn = () => store.get("shortcuts") !== "off";

function rowInFocus() {
  return document.activeElement?.closest("[data-alert], .open-alert, .alert-row");
}

function stepRow(by) {
  const rows = [...document.querySelectorAll(".open-alert, .alert-row")];
  const next = rows[Math.min(Math.max(rows.indexOf(rowInFocus()) + by, 0), rows.length - 1)];
  if (!next) return;
  if (!next.hasAttribute("tabindex")) next.tabIndex = -1;
  next.focus();
}

function onKey(event) {
  const isTyping = event.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping || document.querySelector("dialog[open]")) return;
  if (event.key !== "?" && !shortcutsAreOn()) return;
  const wasGoing = isGoing;
  isGoing = false;
  if (wasGoing && GO[event.key] && body.dataset.kiosk === undefined) return location.assign(GO[event.key]);
  const act = {
    "?": () => byId("shortcuts")?.showModal(),
    g: () => { isGoing = true; },
    j: () => stepRow(1),
    k: () => stepRow(-1),
    a: () => rowInFocus()?.querySelector("form button[type=submit], button[formaction]")?.click(),
    s: () => byId("sound") && alarm.toggle(),
    p: () => byId("sound") && alarm.pause(),
    "/": () => document.querySelector("main [role=search] input:not([type=checkbox]), main input[type=search]")?.focus(),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

// ---- begin ----

document.addEventListener("submit", sendForm);
document.addEventListener("keydown", onKey);
byId("sound-toggle")?.addEventListener("click", () => alarm.toggle());
byId("sound-test")?.addEventListener("click", () => alarm.test());
byId("sound-pause")?.addEventListener("click", () => alarm.pause());
byId("shortcuts-on")?.addEventListener("change", (event) => store.set("shortcuts", event.target.checked ? "on" : "off"));
if (byId("shortcuts-on")) byId("shortcuts-on").checked = shortcutsAreOn();

if (body.dataset.stream) {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    everySecond();
    [...wanted].forEach(want);
  });
  // A browser may keep a page that was left, and show it as it was.
  addEventListener("pageshow", (event) => { if (event.persisted) { listen(); wantAll(); } });
  // Any use of the page lets a blocked alarm sound.
  addEventListener("pointerdown", () => { if (byId("sound")?.dataset.state === "blocked") alarm.show(); });
  setInterval(everySecond, 1_000);
  setInterval(() => { wantAll(); askForAlarms(); }, REFRESH_MS);
  alarm.set(new Set([...alertsIn(partElement("alerts"))].filter(([, row]) => isUnanswered(row)).map(([key]) => key)));
  everySecond();
  listen();
}
