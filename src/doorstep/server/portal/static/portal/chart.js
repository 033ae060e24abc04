// A line chart of one reading over time, as SVG. The page always has the same values as a table beside it.

import { said } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 180;
const EDGE = { top: 10, right: 12, bottom: 24, left: 44 };
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

function draw(name, attributes, parent, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

// Round steps (1, 2 or 5 times a power of ten), about `wanted` of them between low and high.
export function ticks(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let index = Math.ceil(low / step); index * step <= high + step * 1e-9; index += 1) found.push(index * step);
  return { found, digits: Math.max(0, -Math.floor(Math.log10(step))) };
}

function range(values) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const air = (high - low) * 0.12 || Math.max(Math.abs(high) * 0.05, 0.5);
  return [low - air, high + air];
}

export class Chart {
  constructor(parent, { label, unit }) {
    this.label = label;
    this.unit = unit;
    this.points = [];
    this.figure = document.createElement("figure");
    this.figure.className = "chart";
    this.caption = document.createElement("figcaption");
    this.name = document.createElement("span");
    this.name.textContent = unit ? `${label}, ${unit}` : label;
    this.readout = document.createElement("span");
    this.readout.className = "number soft";
    this.caption.append(this.name, this.readout);
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("role", "img");
    this.figure.append(this.caption, this.svg);
    parent.append(this.figure);
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => { this.cursor?.remove(); this.readout.textContent = ""; });
    new ResizeObserver(() => this.render()).observe(this.figure);
  }

  // points: [{time_us, value}], oldest first
  show(points) {
    this.points = points;
    this.render();
  }

  render() {
    const width = this.figure.clientWidth;
    if (!width || !this.points.length) return;
    const times = this.points.map((point) => point.time_us / 1000);
    const values = this.points.map((point) => point.value);
    const [low, high] = range(values);
    const first = times[0];
    const span = Math.max(times.at(-1) - first, 1000);
    this.x = (time) => EDGE.left + ((time - first) / span) * (width - EDGE.left - EDGE.right);
    this.y = (value) => EDGE.top + ((high - value) / (high - low)) * (HEIGHT - EDGE.top - EDGE.bottom);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.svg.setAttribute("aria-label", this.words(values));
    this.svg.replaceChildren();
    this.axes(width, low, high, first, span);
    this.curve(times, values);
  }

  axes(width, low, high, first, span) {
    const { found, digits } = ticks(low, high, 4);
    for (const value of found) {
      draw("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: this.y(value), y2: this.y(value) }, this.svg);
      draw("text", { class: "tick", x: EDGE.left - 8, y: this.y(value) + 4, "text-anchor": "end" }, this.svg, value.toFixed(digits));
    }
    const parts = Math.max(1, Math.min(4, Math.floor(width / 180)));
    for (let part = 0; part <= parts; part += 1) {
      const time = first + (span * part) / parts;
      const anchor = part === 0 ? "start" : part === parts ? "end" : "middle";
      draw("text", { class: "tick", x: this.x(time), y: HEIGHT - 6, "text-anchor": anchor }, this.svg, CLOCK.format(time));
    }
  }

  curve(times, values) {
    const spots = times.map((time, index) => `${this.x(time).toFixed(1)},${this.y(values[index]).toFixed(1)}`);
    const floor = HEIGHT - EDGE.bottom;
    const [start, end] = [this.x(times[0]), this.x(times.at(-1))];
    draw("polygon", { class: "area", points: `${start},${floor} ${spots.join(" ")} ${end},${floor}` }, this.svg);
    draw("polyline", { class: "curve", points: spots.join(" ") }, this.svg);
    draw("circle", { class: "now", r: 4.5, cx: end, cy: this.y(values.at(-1)) }, this.svg);
  }

  point(event) {
    if (!this.x) return;
    const at = event.clientX - this.svg.getBoundingClientRect().left;
    const nearest = this.points.reduce((best, point) =>
      Math.abs(this.x(point.time_us / 1000) - at) < Math.abs(this.x(best.time_us / 1000) - at) ? point : best);
    const x = this.x(nearest.time_us / 1000);
    this.cursor?.remove();
    this.cursor = draw("line", { class: "cursor", x1: x, x2: x, y1: EDGE.top, y2: HEIGHT - EDGE.bottom }, this.svg);
    this.readout.textContent = `${nearest.value} ${this.unit}, ${CLOCK.format(nearest.time_us / 1000)}`;
  }

  words(values) {
    const span = [values.length, Math.min(...values), Math.max(...values), this.unit];
    const told = [this.label, ...span, values.at(-1), this.unit];
    return said("{}: {} readings, from {} to {} {}, now {} {}. The table below has them all.", ...told);
  }
}
