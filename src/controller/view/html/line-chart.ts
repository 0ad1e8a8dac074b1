import { html, nothing } from './markup.js';
import type { Markup } from './markup.js';
import type { Scale } from './scale.js';

export interface ChartLine {
  readonly name: string;
  /** One per column; null leaves a gap: no number is not zero. */
  readonly values: readonly (number | null)[];
}

export interface Chart {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  readonly x: Scale;
  /** Where each column is, on `x`. */
  readonly columns: readonly number[];
  readonly y: Scale;
  readonly xText: (value: number) => string;
  readonly yText: (value: number) => string;
  /** What is shown when the pointer rests on the column. */
  readonly columnText: (column: number) => string;
  /** Columns to shade: something is missing there. */
  readonly shaded?: readonly boolean[];
}

const width = 480;
const height = 190;
const left = 72;
const right = 34;
const top = 12;
const bottom = 26;

/** A line chart without script: values appear as the browser's own tooltips. */
export function lineChart(chart: Chart): Markup {
  const { x, y, columns } = chart;
  const xs = columns.map((value) => across(x.at(value)));
  return html`<figure class="chart">
    <figcaption>
      ${chart.title}
      ${
        chart.lines.length > 1
          ? chart.lines.map(
              ({ name }, index) => html`<span class="key k${String(index)}">${name}</span>`,
            )
          : nothing
      }
    </figcaption>
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${chart.title}">
      ${y.ticks.map((tick) => horizontal(down(y.at(tick)), chart.yText(tick)))}
      ${x.ticks.map((tick) => label(across(x.at(tick)), chart.xText(tick)))} ${shades(chart, xs)}
      ${chart.lines.map((line, index) => path(line, index, xs, y))}
      ${xs.map((_, column) => hover(xs, column, chart.columnText(column)))}
    </svg>
  </figure>`;
}

function across(share: number): number {
  return tenth(left + share * (width - left - right));
}

function down(share: number): number {
  return tenth(height - bottom - share * (height - top - bottom));
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

function horizontal(at: number, text: string): Markup {
  return html`<line class="grid" x1="${left}" x2="${width - right}" y1="${at}" y2="${at}" />
    <text class="tick" x="${left - 6}" y="${at + 4}" text-anchor="end">${text}</text>`;
}

function label(at: number, text: string): Markup {
  return html`<text class="tick" x="${at}" y="${height - 8}" text-anchor="middle">${text}</text>`;
}

function shades({ shaded = [] }: Chart, xs: readonly number[]): readonly Markup[] {
  return shaded.flatMap((is, column) => {
    if (!is) return [];
    const [from, to] = cell(xs, column);
    return [
      html`<rect
        class="gap"
        x="${from}"
        y="${top}"
        width="${tenth(to - from)}"
        height="${height - top - bottom}"
      />`,
    ];
  });
}

/** One stroke per run of known values; a value between two gaps is a dot. */
function path({ values }: ChartLine, index: number, xs: readonly number[], y: Scale): Markup {
  let d = '';
  for (const [column, value] of values.entries()) {
    if (value === null) continue;
    const point = `${String(xs[column] ?? left)} ${String(down(y.at(value)))}`;
    const alone = (values[column - 1] ?? null) === null;
    d += alone ? `M${point}l0 0` : `L${point}`;
  }
  return html`<path class="line k${String(index)}" d="${d}" />`;
}

/** The part of the axis that is nearest to the column. */
function cell(xs: readonly number[], column: number): readonly [number, number] {
  const at = xs[column] ?? left;
  const before = xs[column - 1];
  const after = xs[column + 1];
  const toBefore = before === undefined ? undefined : (at - before) / 2;
  const toAfter = after === undefined ? undefined : (after - at) / 2;
  const lone = 4;
  return [
    tenth(Math.max(left, at - (toBefore ?? toAfter ?? lone))),
    tenth(Math.min(width - right, at + (toAfter ?? toBefore ?? lone))),
  ];
}

function hover(xs: readonly number[], column: number, text: string): Markup {
  const [from, to] = cell(xs, column);
  return html`<rect
    class="hover"
    x="${from}"
    y="${top}"
    width="${tenth(Math.max(0.1, to - from))}"
    height="${height - top - bottom}"
    ><title>${text}</title></rect
  >`;
}
