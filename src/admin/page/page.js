
// Everything that is shown comes from /status, once a second, and is set as text, never as HTML: subjects and server
// names are what a stranger has written.

const POLL_MS = 1000;
const PATIENCE_MS = 6000;
const DAY_MS = 86400 * 1000;
const TOKEN = document.querySelector('meta[name="postern-token"]').content;

const find = (id) => document.getElementById(id);

// --- Tables: rows are filled in place, so that what is selected or about to be clicked stays. ---

// A cell is a text, or {text, tag, title, number, short, wide, button}.
function fillCell(cell, content, label) {
  const spec = typeof content === "object" ? content : {text: content};
  cell.dataset.label = label;
  cell.className = spec.number ? "number" : spec.short ? "short" : spec.wide ? "wide" : "";
  cell.title = spec.title || "";
  if (spec.button) {
    if (cell.firstChild !== spec.button) cell.replaceChildren(spec.button);
    return;
  }
  const text = String(spec.text);
  if (spec.tag === undefined) {
    if (cell.firstElementChild || cell.textContent !== text) cell.textContent = text;
    return;
  }
  let tag = cell.firstElementChild;
  if (!tag || tag.nodeName !== "SPAN") {
    tag = make("span");
    cell.replaceChildren(tag);
  }
  tag.className = "tag " + spec.tag;
  if (tag.textContent !== text) tag.textContent = text;
}

function fillTable(table, rows) {
  const labels = Array.from(table.tHead.rows[0].cells, (cell) => cell.textContent);
  const body = table.tBodies[0];
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((row, i) => {
    const line = body.rows[i] || body.insertRow();
    while (line.cells.length > row.length) line.deleteCell(-1);
    row.forEach((content, j) => fillCell(line.cells[j] || line.insertCell(), content, labels[j]));
  });
  table.hidden = rows.length === 0;
}

function tableIn(parent, heads) {
  const scroll = make("div", "scroll");
  const table = make("table", "cards");
  const row = table.createTHead().insertRow();
  for (const [text, className] of heads) row.append(make("th", className, text));
  table.createTBody();
  scroll.append(table);
  parent.append(scroll);
  return table;
}

// --- What can be changed, if anything ---

async function command(path) {
  try {
    const answer = await fetch(path, {method: "POST", headers: {"X-Postern-Token": TOKEN}, cache: "no-store"});
    find("said").textContent = (await answer.text()).trim();
  } catch (error) {
    find("said").textContent = "not sent: " + error.message;
  }
  poll();
}

// A first click arms it, a second one within 4 s means it.
function armedButton(run) {
  const button = make("button");
  button.type = "button";
  button.addEventListener("click", () => {
    if (!button.classList.contains("armed")) {
      button.classList.add("armed");
      button.textContent = button.dataset.text + ": sure?";
      setTimeout(() => disarm(button), 4000);
      return;
    }
    disarm(button);
    run();
  });
  return button;
}

function disarm(button) {
  button.classList.remove("armed");
  button.textContent = button.dataset.text;
}

const drainButtons = new Map();

function drainButton(group, server) {
  const key = JSON.stringify([group, server.name]);
  if (!drainButtons.has(key)) {
    const button = armedButton(() => command("/servers/" + button.dataset.action + "?group=" +
      encodeURIComponent(group) + "&server=" + encodeURIComponent(server.name)));
    drainButtons.set(key, button);
  }
  const button = drainButtons.get(key);
  button.dataset.action = server.drained ? "undrain" : "drain";
  button.dataset.text = server.drained ? "Undrain" : "Drain";
  if (!button.classList.contains("armed")) disarm(button);
  return button;
}

// --- The sections ---

function healthOf(server, group) {
  switch (server.state) {
    case "healthy": return ["Healthy", "good"];
    case "unhealthy": return ["Unhealthy", "bad"];
    case "disabled": return ["Weight 0", ""];
    default: return group.health_check ? ["Checking", "warn"] : ["Not checked", ""];
  }
}

function whyOf(server) {
  const reasons = [];
  if (server.drained) reasons.push("drained: takes no new requests");
  if (server.last_error === "bad_status") {
    reasons.push("answered " + server.last_status);
  } else if (server.last_error !== "none") {
    reasons.push(CHECK_ERRORS[server.last_error] || server.last_error);
  }
  return reasons.join("; ");
}

const SERVER_HEADS = [["Name", ""], ["Address", ""], ["Health", ""], ["Why", ""], ["Since", ""], ["Last check", ""],
  ["Check takes", "number"], ["Weight", "number"], ["Requests", "number"], ["Running", "number"], ["Failed", "number"]];
const groupTables = [];

function showGroups(status, now) {
  while (groupTables.length > status.groups.length) groupTables.pop().root.remove();
  status.groups.forEach((group, i) => {
    if (!groupTables[i]) {
      const root = make("div");
      const title = make("h3");
      const note = make("p", "notice bad");
      root.append(title, note);
      const table = tableIn(root, TOKEN ? [...SERVER_HEADS, ["", ""]] : SERVER_HEADS);
      groupTables[i] = {root, title, note, table};
      find("groups").append(root);
    }
    const {title, note, table} = groupTables[i];
    title.textContent = group.name;
    const usable = group.servers.filter((server) => server.weight > 0 && !server.drained);
    note.hidden = usable.some((server) => server.state !== "unhealthy");
    note.textContent = usable.length > 0 && group.fail_open
      ? "No server is healthy: all are used regardless (fail_open)."
      : "No server can be used: clients get 503.";
    fillTable(table, group.servers.map((server) => {
      const [text, tag] = healthOf(server, group);
      const failures = server.connect_failures + server.response_failures + server.responses_5xx;
      const row = [server.name, {text: server.address, short: true}, {text, tag}, whyOf(server),
        {text: server.since_ms > 0 ? span(now - server.since_ms) : "\u2013", short: true,
          title: server.since_ms > 0 ? new Date(server.since_ms).toLocaleString() : ""},
        {text: ago(server.last_check_ms, now), short: true},
        {text: server.latency_us > 0 ? brief(server.latency_us / 1000) + " ms" : "\u2013", number: true},
        {text: server.weight, number: true}, {text: brief(server.requests), number: true},
        {text: brief(server.active), number: true}, {text: brief(failures), number: true,
          title: server.connect_failures + " not connected, " + server.response_failures + " without a response, " +
            server.responses_5xx + " answered 5xx"}];
      if (TOKEN) row.push({button: drainButton(group.name, server)});
      return row;
    }));
  });
}

// How many were refused for a reason in the last minutes. A "+": /status did not list all when the page was opened.
function lately(reason, totals) {
  const {count, whole} = refusedLately(reason, totals);
  return {text: brief(count) + (whole ? "" : "+"), number: true, title: whole ? "" : "or more: see the log"};
}

function showRefusals(status, totals, now) {
  const rows = Object.entries(totals.refusals).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  fillTable(find("reasons"), rows.map(([reason, count]) => [{text: reason, short: true},
    lately(reason, totals), {text: brief(count), number: true},
    MEANINGS[reason] || ""]));
  find("no_reasons").hidden = rows.length > 0;
  const recent = status.recent_refusals || [];
  find("recent").hidden = recent.length === 0;
  fillTable(find("refusals"), recent.map((refusal) => [
    {text: ago(refusal.time_ms, now), short: true, title: new Date(refusal.time_ms).toLocaleString()},
    {text: refusal.client, short: true}, {text: refusal.reason, short: true}, {text: refusal.subject, wide: true},
    refusal.server_name, refusal.listener]));
}

// Left until `then`: a text and a colour.
function leftOf(then, now, badDays) {
  const left = then - now;
  if (left < 0) return {text: "expired", tag: "bad"};
  return {text: span(left), tag: left < badDays * DAY_MS ? "bad" : left < 30 * DAY_MS ? "warn" : "good"};
}

function showCertificates(status, now) {
  const day = (iso) => ({text: iso.slice(0, 10), short: true, title: iso});
  const rows = (status.certificates || []).map((entry) => [ROLES[entry.role] || entry.role,
    {text: entry.subject, wide: true},
    day(entry.not_after), leftOf(Date.parse(entry.not_after), now, 7), {text: entry.file, wide: true}]);
  for (const list of status.revocation_lists) {
    rows.push(["revocation list, " + brief(list.entries) + " entries", {text: list.issuer, wide: true},
      list.next_update ? day(list.next_update) : "says none",
      list.next_update ? leftOf(list.next_update_s * 1000, now, 1) : "", {text: list.file, wide: true}]);
  }
  const told = status.revocation_lists.length ? status.crl_coverage || [] : [];
  for (const entry of told.filter((one) => one.covered !== "yes" && one.covered !== "stale")) {
    const lacks = {leaves_only: "none of CAs below it", cas_only: "none of clients below it"}[entry.covered] || "no list";
    rows.push(["CA without a revocation list", {text: entry.ca, wide: true}, entry.listener, {text: lacks, tag: "warn"},
      {text: entry.file, wide: true}]);
  }
  fillTable(find("certificates"), rows);
  find("left_out").hidden = !status.certificates_left_out;
  find("left_out").textContent = status.certificates_left_out + " more that expire later are not shown.";
}

function showListeners(status) {
  const rows = [];
  for (const listener of status.listeners) {
    const host = listener.address.includes(":") ? "[" + listener.address + "]" : listener.address;
    const asks = listener.protocol === "https";
    rows.push([listener.name, host + ":" + listener.port, asks ? "https" : "http, redirects",
      asks ? MODES[listener.client_auth] : ""]);
    for (const other of listener.tls_hosts) {
      rows.push([listener.name + ", " + other.server_name, "", "https", MODES[other.client_auth]]);
    }
  }
  fillTable(find("listeners"), rows);
}

const SHARD_ROWS = [
  ["Connections open", (shard) => shard.connections_open],
  ["Connections accepted", (shard) => shard.connections_accepted],
  ["Handshakes", (shard) => shard.handshakes], ["Resumed", (shard) => shard.tickets.resumed || 0],
  ["Refused", (shard) => sum(shard.refusals)], ["Requests", (shard) => shard.requests],
  ["Requests running", (shard) => shard.memory.exchanges], ["Upstream open", (shard) => shard.upstream_open],
  ["Shed", (shard) => shard.connections_shed + shard.requests_shed],
  ["Memory (MiB)", (shard) => shard.memory.arena_bytes / 1048576], ["Generation", (shard) => shard.generation],
];

function showShards(status) {
  const head = find("shards").tHead.rows[0];
  while (head.cells.length > status.shards.length + 1) head.lastChild.remove();
  while (head.cells.length < status.shards.length + 1) head.append(make("th", head.cells.length > 0 ? "number" : ""));
  status.shards.forEach((shard, i) => { head.cells[i + 1].textContent = "Shard " + shard.index; });
  fillTable(find("shards"), SHARD_ROWS.map(([name, value]) => [name,
    ...status.shards.map((shard) => ({text: brief(value(shard)), number: true}))]));
}

function showTop(status, totals, rates) {
  const life = find("life");
  life.textContent = status.draining ? "Draining" : "Serving";
  life.className = "tag " + (status.draining ? "warn" : "good");
  find("facts").textContent = "version " + status.version + ", up for " + span(status.uptime_ms);
  const servers = status.groups.flatMap((group) => group.servers);
  const tiles = [
    ["Servers healthy", servers.filter((server) => server.state === "healthy").length + " of " + servers.length],
    ["Connections", brief(totals.open)], ["Requests/s", brief(rates.requests)],
    ["Full handshakes/s", brief(rates.full)], ["Resumed/s", brief(rates.resumed)], ["Refused/s", brief(rates.refused)],
  ];
  const root = find("tiles");
  tiles.forEach(([name, value], i) => {
    if (!root.children[i]) {
      const tile = make("div", "tile");
      tile.append(make("b"), make("span", "", name));
      root.append(tile);
    }
    root.children[i].firstChild.textContent = value;
  });
}

function showReload(status) {
  const reload = status.reload;
  find("reload").textContent = "Generation " + reload.generation + (reload.busy ? ", a reload is under way" : "") +
    "; " + reload.reloads + " reloads, " + reload.failures + " failed.";
  // Not while somebody is choosing.
  if (document.activeElement !== find("log_level")) find("log_level").value = status.log_level;
  find("reload_error").hidden = !reload.last_error;
  find("reload_error").textContent = "The last reload failed: " + reload.last_error;
}

// --- All of it, once a second ---

const plots = find("plots");
const requestPlot = new Plot(plots, "Requests", "/s", ["requests"], ["per second"]);
const latencyPlot = new Plot(plots, "Latency of requests", " ms", LATENCIES, LATENCIES);
const handshakePlot = new Plot(plots, "Handshakes", "/s", ["full", "resumed", "refused"],
  ["full", "resumed", "refused"]);
const cpuPlot = new Plot(plots, "Processor time of a handshake", " \u00b5s", ["cpu"], ["\u00b5s"]);

function show(status) {
  const totals = totalsOf(status);
  let sample = samples[samples.length - 1];
  // Right after a command there may be next to no time between two polls, and no rate to speak of.
  if (!before || Math.abs(totals.time - before.time) > POLL_MS / 2) {
    sample = ratesOf(status, totals);
    samples = samples.filter((old) => old.time > sample.time - WINDOW_MS && old.time < sample.time);
    samples.push(sample);
    before = totals;
  }
  showTop(status, totals, sample);
  showGroups(status, totals.time);
  showRefusals(status, totals, totals.time);
  showListeners(status);
  showCertificates(status, totals.time);
  showShards(status);
  showReload(status);
  latencyPlot.show(Boolean(status.latency));  // not before the first request
  for (const plot of [requestPlot, latencyPlot, handshakePlot, cpuPlot]) plot.update(samples);
}

let timer = 0;
let polling = false;

async function poll() {
  if (polling) return;
  polling = true;
  clearTimeout(timer);
  try {
    const answer = await fetch("/status", {cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS)});
    if (!answer.ok) throw new Error((await answer.text()).trim());
    show(await answer.json());
    find("trouble").hidden = true;
  } catch (error) {
    find("trouble").hidden = false;
    find("trouble").textContent = "What is shown is old: " + error.message;
    find("life").textContent = "Not reachable";
    find("life").className = "tag bad";
  }
  polling = false;
  timer = setTimeout(poll, POLL_MS);
}

find("controls").hidden = !TOKEN;
find("reload_button").addEventListener("click", () => command("/reload"));
find("log_level").addEventListener("change", (event) => {
  command("/log_level?level=" + event.target.value);
  event.target.blur();
});
poll();
