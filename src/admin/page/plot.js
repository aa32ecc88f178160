"use strict";

// One small plot of the last minutes, drawn as SVG. Values that are missing leave a gap.

const WINDOW_MS = 5 * 60 * 1000;
const SVG = "http://www.w3.org/2000/svg";
const COLOURS = ["first", "second", "third", "fourth"];
const WIDTH = 600;
const HEIGHT = 120;
const HEADROOM = 14;  // for the text with the largest value

function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function draw(name, className) {
  const element = document.createElementNS(SVG, name);
  element.setAttribute("class", className);
  return element;
}

// 0.42, 7.1, 310, 12.5 k
function brief(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "\u2013";
  const units = ["", " k", " M", " G", " T"];
  let unit = 0;
  while (Math.abs(value) >= 10000 && unit < units.length - 1) {
    value /= 1000;
    ++unit;
  }
  const digits = value === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits))) + units[unit];
}

// The next of 1, 2, 5, 10, 20, ... so that the scale does not tremble.
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 2, 5, 10]) {
    if (value <= step * power) return step * power;
  }
  return value;
}

class Plot {
  // `keys` are members of samples, `names` what they are called.
  constructor(parent, title, unit, keys, names) {
    this.unit = unit;
    this.keys = keys;
    this.names = names;
    this.hover = null;  // where the pointer is, 0 to 1
    this.samples = [];
    this.root = make("div", "plot");
    this.root.append(make("h3", "", title));
    this.legend = make("div", "legend");
    this.labels = keys.map((key, i) => make("span", COLOURS[i]));
    this.legend.append(...this.labels);
    const area = make("div", "area");
    this.top = make("span", "top");
    this.svg = draw("svg", "");
    this.svg.setAttribute("viewBox", "0 0 " + WIDTH + " " + HEIGHT);
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("aria-label", title + ", the last 5 minutes");
    for (const y of [HEADROOM, (HEADROOM + HEIGHT) / 2]) {
      this.svg.append(this.lineAt("grid", 0, y, WIDTH, y));
    }
    this.cursor = this.lineAt("cursor", 0, HEADROOM, 0, HEIGHT);
    this.cursor.setAttribute("visibility", "hidden");
    this.paths = keys.map((key, i) => draw("path", COLOURS[i]));
    this.svg.append(this.cursor, ...this.paths);
    area.append(this.svg, this.top);
    const ends = make("div", "ends");
    ends.append(make("span", "", "5 min ago"), make("span", "", "now"));
    this.root.append(this.legend, area, ends);
    parent.append(this.root);
    this.svg.addEventListener("pointermove", (event) => {
      const box = this.svg.getBoundingClientRect();
      this.point((event.clientX - box.left) / box.width);
    });
    this.svg.addEventListener("pointerleave", () => this.point(null));
  }

  lineAt(className, x1, y1, x2, y2) {
    const line = draw("line", className);
    Object.entries({x1, y1, x2, y2}).forEach(([name, value]) => line.setAttribute(name, value));
    return line;
  }

  show(visible) {
    this.root.hidden = !visible;
  }

  point(where) {
    this.hover = where;
    this.cursor.setAttribute("visibility", where === null ? "hidden" : "visible");
    if (where !== null) {
      this.cursor.setAttribute("x1", where * WIDTH);
      this.cursor.setAttribute("x2", where * WIDTH);
    }
    this.tell();
  }

  // The values at the pointer, or else the latest ones.
  tell() {
    let sample = this.samples[this.samples.length - 1];
    if (this.hover !== null && sample) {
      const time = sample.time - (1 - this.hover) * WINDOW_MS;
      sample = this.samples.reduce((a, b) => Math.abs(b.time - time) < Math.abs(a.time - time) ? b : a);
    }
    this.labels.forEach((label, i) => {
      const value = sample ? sample[this.keys[i]] : null;
      label.textContent = this.names[i] + " " + brief(value);
    });
  }

  update(samples) {
    this.samples = samples;
    if (samples.length === 0) return;
    const end = samples[samples.length - 1].time;
    let most = 0;
    for (const sample of samples) {
      for (const key of this.keys) most = Math.max(most, sample[key] || 0);
    }
    const scale = most > 0 ? roundUp(most) : 1;
    this.top.textContent = brief(scale) + this.unit;
    this.keys.forEach((key, i) => {
      let path = "";
      let pen = "M";
      for (const sample of samples) {
        const value = sample[key];
        if (value === null || value === undefined) {
          pen = "M";
          continue;
        }
        const x = WIDTH * (1 - (end - sample.time) / WINDOW_MS);
        const y = HEIGHT - 1 - (HEIGHT - 1 - HEADROOM) * value / scale;
        // A line of no length is a dot: a value between two gaps is seen, too.
        path += pen + x.toFixed(1) + " " + y.toFixed(1) + (pen === "M" ? "h0" : "");
        pen = "L";
      }
      this.paths[i].setAttribute("d", path);
    });
    this.tell();
  }
}
