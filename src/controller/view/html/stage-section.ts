import { loadSeconds } from '../../core/agent-outcome.js';
import type { IntervalRow } from '../../core/interval-rows.js';
import type { Pieces } from '../../core/pieces.js';
import type { AgentTrack, StageTrack } from '../../core/stage-track.js';
import type { RunOperationNumbers, StageSummary } from '../../core/summary.js';
import { rowsOfAll, rowsPerPiece, totalRows } from '../../core/total-rows.js';
import type { OperationKind } from '../../../shared/model/operation.js';
import { bytes, clock, count, duration, instant, rate } from '../format.js';
import { mechanismFacts, rateFact, survivorsFact, warmupFact } from '../stage-facts.js';
import { startFact } from '../start-fact.js';
import { syncLines } from '../operation-table.js';
import { agentRows } from './agent-rows.js';
import { distributionChart } from './distribution-chart.js';
import { lineChart } from './line-chart.js';
import { html, nothing } from './markup.js';
import type { Markup } from './markup.js';
import { linearScale, logScale, timeScale } from './scale.js';
import { thinRows } from './thin-rows.js';
import type { Column } from './thin-rows.js';
import { counted, nounFor } from '../../../shared/kernel/counted.js';

const mostColumns = 300;

/** One stage: its facts, numbers, time line, distribution and agents. */
export function* stageSection(
  summary: StageSummary,
  track: StageTrack,
  agents: readonly AgentTrack[],
): Pieces<Markup> {
  const title = html`<h2>Stage ${summary.name}</h2>`;
  if (summary.agents_started === 0)
    return html`<section>
      ${title}
      <p>Not started.</p>
    </section>`;
  const charts: Markup[] = [];
  for (const operation of track.operations) {
    charts.push(yield* operationCharts(operation, track, agents));
  }
  const rows = yield* agentRows(summary, track, agents);
  const isReported = track.ended || [...track.agents.values()].some((one) => one.hasReported);
  return html`<section>
    ${title}
    <p class="facts">${summary.workload}</p>
    <p class="facts">${facts(summary, isReported)}</p>
    ${[...mechanismFacts(summary), ...(isReported ? rateFact(summary) : []), ...survivorsFact(summary)].map((fact) => html`<p class="facts">${fact}</p>`)}
    <div class="scroll">${isReported ? operationNumbers(summary) : nothing}</div>
    ${syncLines(summary, Infinity).map((line) => html`<p class="facts">${line.trim()}</p>`)}
    ${charts}
    <h3>Agents</h3>
    <div class="scroll">${rows}</div>
  </section>`;
}

function facts(stage: StageSummary, isReported: boolean): string {
  const { first_done_s: first, last_done_s: last, straggler } = stage;
  return [
    `${String(stage.agents_completed)} of ${counted(stage.agents_started, 'agent')} completed it`,
    ...startFact(stage, '±'),
    first === null ? undefined : `first done ${instant(first)}`,
    last === null
      ? undefined
      : `last done ${instant(last)}${straggler === null ? '' : ` (${straggler})`}`,
    ...warmupFact(stage),
    isReported ? ratesFact(stage) : 'no second of it is reported yet',
  ]
    .filter((fact) => fact !== undefined)
    .join(' · ');
}

function ratesFact({ rate_seconds: seconds }: StageSummary): string {
  return seconds > 0
    ? `rates over ${String(seconds)} common seconds`
    : 'rates are total ÷ last done';
}

function operationNumbers(stage: StageSummary): Markup {
  const heads = ['ops', 'ops/s', 'bytes/s', 'errors', 'latency', 'mean', 'p50', 'p90', 'p99'];
  return html`<table>
    <thead>
      <tr>
        <th>operation</th>
        ${[...heads, 'p99.9', 'max'].map((head) => html`<th>${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${Object.entries(stage.operations).map(([name, numbers]) => numberRows(name, numbers))}
    </tbody>
  </table>`;
}

function numberRows(name: string, numbers: RunOperationNumbers): Markup {
  const { service_ns: service, response_ns: response } = numbers;
  const open = JSON.stringify(service) !== JSON.stringify(response);
  const codes = Object.entries(numbers.error_codes).map(([code, n]) => `${code} ${count(n)}`);
  return html`<tr>
      <th>${name}</th>
      <td>${count(numbers.count)}</td>
      <td>${rate(numbers.per_second)}</td>
      <td>${bytes(numbers.bytes_per_second)}/s</td>
      <td class="${numbers.errors > 0 ? 'bad' : ''}" title="${codes.join(', ')}">
        ${count(numbers.errors)}
      </td>
      ${latencyCells(open ? 'response' : 'service', open ? response : service)}
    </tr>
    ${
      open
        ? html`<tr>
            <td colspan="5"></td>
            ${latencyCells('service', service)}
          </tr>`
        : nothing
    }`;
}

function latencyCells(kind: string, latency: RunOperationNumbers['service_ns']): Markup {
  if (latency === null)
    return html`<td>${kind}</td>
      <td colspan="6">nothing completed</td>`;
  const { mean, p50, p90, p99, p99_9, max } = latency;
  const values = [mean, p50, p90, p99, p99_9, max];
  return html`<td>${kind}</td>
    ${values.map((value) => html`<td>${duration(value)}</td>`)}`;
}

function* operationCharts(
  operation: OperationKind,
  track: StageTrack,
  agents: readonly AgentTrack[],
): Pieces<Markup> {
  const members = track.members(agents);
  const all = yield* rowsOfAll(track, operation, agents);
  const totals: IntervalRow[] = [];
  for (const row of totalRows(track, operation, all)) {
    totals.push(row);
    if (totals.length % rowsPerPiece === 0) yield;
  }
  const columns = thinRows(totals, mostColumns, loadSeconds(members, track.plan));
  if (columns.length === 0) return nothing;
  const end = (columns.at(-1)?.last ?? 0) + 1;
  const x = {
    x: timeScale(end),
    columns: columns.map(({ first, last }) => (first + last + 1) / 2),
    xText: (second: number) => clock(second),
    columnText: (column: number) => columnText(columns[column]),
    shaded: columns.map(({ missing }) => missing),
  };
  const latencies = columns.flatMap(({ p50, max, responseP99 }) =>
    [p50, max, responseP99].filter((each) => each !== null),
  );
  const responses = { name: 'response p99', values: columns.map((each) => each.responseP99) };
  const rates = columns.map(({ rate: each }) => each);
  return html`<h3>${operation}</h3>
    <div class="charts">
      ${lineChart({
        ...x,
        title: `${operation}: operations per second`,
        lines: [{ name: 'ops/s', values: rates }],
        y: linearScale(Math.max(0, ...rates.filter((each) => each !== null))),
        yText: rate,
      })}
      ${
        latencies.length === 0
          ? nothing
          : lineChart({
              ...x,
              title: `${operation}: service latency`,
              lines: [
                { name: 'p50', values: columns.map(({ p50 }) => p50) },
                { name: 'p99', values: columns.map(({ p99 }) => p99) },
                { name: 'max', values: columns.map(({ max }) => max) },
                ...(track.isOpenLoop ? [responses] : []),
              ],
              y: logScale(Math.min(...latencies), Math.max(...latencies)),
              yText: duration,
            })
      }
      ${distributionChart(operation, members)}
    </div>`;
}

function columnText(column: Column | undefined): string {
  if (!column) return '';
  const { first, last, p50, p99, max, responseP99 } = column;
  const when =
    first === last ? `second ${String(first)}` : `seconds ${String(first)}–${String(last)}`;
  const latency =
    p50 === null || p99 === null || max === null
      ? 'no latencies'
      : `p50 ${duration(p50)}, p99 ${duration(p99)}, max ${duration(max)}`;
  const response = responseP99 === null ? '' : `, response p99 ${duration(responseP99)}`;
  const errors =
    column.errors > 0 ? `, ${count(column.errors)} ${nounFor(column.errors, 'error')}` : '';
  const gap = column.missing ? ' (some intervals are missing)' : '';
  const done =
    column.rate === null || column.bytesRate === null
      ? `the load is over, ${counted(column.count, 'operation')} completed`
      : `${rate(column.rate)} ops/s, ${bytes(column.bytesRate)}/s`;
  return `${when}: ${done}, ${latency}${response}${errors}${gap}`;
}
