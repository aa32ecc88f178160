
// From the totals of /status to rates, percentiles and what happened in the last minutes.

const LATENCIES = ["p50", "p90", "p99", "p99.9"];
let samples = [];   // rates, oldest first
let before = null;  // the totals of the last poll
let opened = null;  // what was told of the time before the first sample

const sum = (object) => Object.values(object).reduce((a, b) => a + b, 0);

function totalsOf(status) {
  const totals = {time: status.started_ms + status.uptime_ms, started: status.started_ms, shards: status.shards.length,
    open: 0, requests: 0, handshakes: 0, resumed: 0, cpu: 0, refused: 0, refusals: {},
    latency: status.latency ? status.latency.buckets : [], counts: null};
  totals.counts = new Map(totals.latency);
  for (const shard of status.shards) {
    totals.open += shard.connections_open;
    totals.requests += shard.requests;
    totals.handshakes += shard.handshakes;
    totals.resumed += shard.tickets.resumed || 0;
    totals.cpu += shard.handshake_us;
    totals.refused += sum(shard.refusals);
    for (const [reason, count] of Object.entries(shard.refusals)) {
      totals.refusals[reason] = (totals.refusals[reason] || 0) + count;
    }
  }
  return totals;
}

function ratesOf(status, totals) {
  const sample = {time: totals.time, refusals: totals.refusals, requests: null, full: null, resumed: null,
    refused: null, cpu: null};
  // Another process, shards that have ended, or a page that slept: what was counted before says nothing.
  if (before && (before.started !== totals.started || before.shards !== totals.shards ||
      totals.time - before.time > WINDOW_MS)) {
    samples = [];
    before = null;
  }
  if (!before) opened = openingOf(status, totals);
  const seconds = before ? (totals.time - before.time) / 1000 : 0;
  if (seconds > 0) {
    const full = (of) => of.handshakes - of.resumed;
    sample.requests = (totals.requests - before.requests) / seconds;
    sample.full = Math.max(full(totals) - full(before), 0) / seconds;
    sample.resumed = (totals.resumed - before.resumed) / seconds;
    sample.refused = (totals.refused - before.refused) / seconds;
    const handshakes = totals.handshakes - before.handshakes;
    sample.cpu = handshakes > 0 ? (totals.cpu - before.cpu) / handshakes : null;
  }
  if (totals.latency && before && before.latency) {
    const fresh = totals.latency.map(([top, count]) => [top, count - (before.counts.get(top) || 0)]);
    for (const name of LATENCIES) sample[name] = percentile(fresh, Number(name.slice(1)));
  }
  return sample;
}

// What /status tells of the time before this page, or this process, was seen first. Each shard lists its latest
// refusals, and of all of them the latest are told: what came before `known` may be missing.
function openingOf(status, totals) {
  const recent = status.recent_refusals || [];
  const oldest = (list) => Math.min(totals.time, ...list.map((refusal) => refusal.time_ms));
  let known = 0;
  for (const shard of status.shards) {
    const own = recent.filter((refusal) => refusal.shard === shard.index);
    if (own.length < sum(shard.refusals)) known = Math.max(known, oldest(own.length > 0 ? own : recent));
  }
  return {time: totals.time, refusals: totals.refusals, recent, known};
}

// How many were refused for this reason in the window, and whether these are all: what was listed when the page was
// opened, until its own samples go back that far.
function refusedLately(reason, totals) {
  const begin = totals.time - WINDOW_MS;
  const since = (old) => totals.refusals[reason] - (old.refusals[reason] || 0);
  if (opened.time <= begin) return {count: since(samples[0]), whole: true};
  const listed = opened.recent.filter((refusal) => refusal.reason === reason);
  const whole = opened.known <= begin || listed.length === opened.refusals[reason] || !opened.refusals[reason];
  return {count: since(opened) + listed.filter((refusal) => refusal.time_ms > begin).length, whole};
}

// In milliseconds, of counts by upper bound in microseconds; null if there is nothing.
function percentile(buckets, percent) {
  const all = buckets.reduce((total, [, count]) => total + count, 0);
  let seen = 0;
  for (const [top, count] of buckets) {
    seen += count;
    if (count > 0 && seen >= all * percent / 100) return top / 1000;
  }
  return null;
}
