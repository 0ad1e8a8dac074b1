import type { AgentStageSummary, StageSummary } from '../core/summary.js';
import { duration, instant, percent, rate } from './format.js';
import type { Paint } from './paint.js';
import { table } from './table.js';

/** Per agent: state, share, rate, p99 of each operation, lateness at the start, when it was done. */
export function agentTable(
  stage: StageSummary,
  width: number,
  paint: Paint,
  most: number,
): readonly string[] {
  const entries = Object.entries(stage.agents);
  if (entries.length < 2) return [];
  const remarkable = [...entries].sort(
    ([, a], [, b]) => remark(b) - remark(a) || a.share - b.share,
  );
  const kept = new Set(remarkable.slice(0, most).map(([id]) => id));
  const operations = Object.keys(stage.operations);
  const header = ['agent', 'state', 'share', 'ops/s', ...operations.map((name) => `${name} p99`)];
  const rows = [[...header, 'late by', 'done']];
  for (const [id, agent] of entries) {
    if (kept.has(id)) rows.push(row(id, agent, operations));
  }
  const left = entries.length - kept.size;
  const lines = fitting(rows, width);
  return [
    '',
    ...lines.map((line, index) => (index === 0 ? paint.dim(line) : line)),
    ...(left > 0 ? [`  ... and ${String(left)} more agents in summary.txt`] : []),
  ];
}

/** Where the terminal is too narrow, whole columns are left out, the rightmost first. */
function fitting(rows: readonly (readonly string[])[], width: number): readonly string[] {
  const columns = rows[0]?.length ?? 0;
  for (let kept = columns; kept > 1; kept--) {
    const lines = table(rows.map((cells) => cells.slice(0, kept)));
    if (lines.every((line) => line.length <= width)) return lines;
  }
  return table(rows.map((cells) => cells.slice(0, 1)));
}

function row(id: string, agent: AgentStageSummary, operations: readonly string[]): string[] {
  const numbers = Object.values(agent.operations);
  const perSecond = numbers.reduce((sum, operation) => sum + operation.per_second, 0);
  return [
    id,
    agent.state,
    percent(agent.share),
    rate(perSecond),
    ...operations.map((name) => {
      const p99 = agent.operations[name]?.response_ns?.p99;
      return p99 === undefined ? '-' : duration(p99);
    }),
    agent.start_lateness_ns === null ? '-' : duration(agent.start_lateness_ns),
    agent.done_s === null ? '-' : instant(agent.done_s),
  ];
}

/** Lost agents before those with errors before the healthy. */
function remark(agent: AgentStageSummary): number {
  const errors = Object.values(agent.operations).some((numbers) => numbers.errors > 0);
  return (agent.state === 'COMPLETED' ? 0 : 2) + (errors ? 1 : 0);
}
