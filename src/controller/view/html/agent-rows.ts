import { loadSeconds } from '../../core/agent-outcome.js';
import type { Pieces } from '../../core/pieces.js';
import type { AgentTrack, StageTrack } from '../../core/stage-track.js';
import type { AgentStageSummary, StageSummary } from '../../core/summary.js';
import { duration, instant, part, percent, rate } from '../format.js';
import { html } from './markup.js';
import type { Markup } from './markup.js';
import { perSecond } from './thin-rows.js';

const sparkWidth = 160;
const sparkHeight = 22;
const tones: Partial<Record<AgentStageSummary['state'], string>> = {
  COMPLETED: 'good',
  RUNNING: '',
  NOT_STARTED: '',
};

/** The stage's agents, one row each, with their rate over time on one scale for all. */
export function* agentRows(
  summary: StageSummary,
  track: StageTrack,
  agents: readonly AgentTrack[],
): Pieces<Markup> {
  const operations = Object.keys(summary.operations);
  const rates = new Map<string, readonly number[]>();
  for (const agent of agents) {
    yield;
    rates.set(agent.plan.id, rateBySecond(track, agent));
  }
  const seconds = Math.max(1, ...[...rates.values()].map((values) => values.length));
  const most = [...rates.values()].flat().reduce((highest, value) => Math.max(highest, value), 0);
  return html`<table>
    <thead>
      <tr>
        <th>agent</th>
        <th>state</th>
        <th>rate over time</th>
        <th>share</th>
        <th>ops/s</th>
        ${operations.map((name) => html`<th>${name} p99</th>`)}
        <th>late by</th>
        <th>done</th>
        <th>missing</th>
        <th>CPU of host</th>
      </tr>
    </thead>
    <tbody>
      ${Object.entries(summary.agents).map(
        ([id, agent]) =>
          html`<tr>
            <th>${id}</th>
            <td class="${tones[agent.state] ?? 'bad'}">${agent.state}</td>
            <td>${spark(rates.get(id) ?? [], seconds, most)}</td>
            ${cells(agent, operations).map((text) => html`<td>${text}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function cells(agent: AgentStageSummary, operations: readonly string[]): readonly string[] {
  const total = Object.values(agent.operations).reduce((sum, one) => sum + one.per_second, 0);
  return [
    part(agent.share),
    rate(total),
    ...operations.map((name) => {
      const p99 = agent.operations[name]?.response_ns?.p99;
      return p99 === undefined ? '–' : duration(p99);
    }),
    agent.start_lateness_ns === null ? '–' : duration(agent.start_lateness_ns),
    agent.done_s === null ? '–' : instant(agent.done_s),
    agent.missing_seconds === 0 ? '–' : `${String(agent.missing_seconds)} s`,
    percent(agent.host_cpu),
  ];
}

/** Operations per second, all kinds together, by second of load. */
function rateBySecond(track: StageTrack, agent: AgentTrack): readonly number[] {
  const stage = track.agents.get(agent.plan.index);
  const rates: number[] = [];
  if (!stage) return rates;
  const load = loadSeconds([{ stage }], track.plan);
  for (const operation of track.operations) {
    for (const row of stage.rows(operation)) {
      const each = perSecond(row.count, row, load);
      if (each === null) continue;
      for (let second = row.first; second <= row.last && second < load; second++) {
        rates[second] = (rates[second] ?? 0) + each;
      }
    }
  }
  return Array.from(rates, (value: number | undefined) => value ?? 0);
}

function spark(rates: readonly number[], seconds: number, most: number): Markup {
  const step = Math.max(1, Math.ceil(rates.length / (sparkWidth / 2)));
  const points: string[] = [];
  for (let at = 0; at < rates.length; at += step) {
    const some = rates.slice(at, at + step);
    const mean = some.reduce((sum, value) => sum + value, 0) / some.length;
    const x = (sparkWidth * (at + some.length / 2)) / seconds;
    const y = sparkHeight - 1 - (most > 0 ? mean / most : 0) * (sparkHeight - 3);
    points.push(`${x.toFixed(1)} ${y.toFixed(1)}`);
  }
  const d = points.length === 0 ? '' : `M${points.join('L')}l0 0`;
  return html`<svg class="spark" viewBox="0 0 ${sparkWidth} ${sparkHeight}" aria-hidden="true">
    <path class="line k0" d="${d}" />
  </svg>`;
}
