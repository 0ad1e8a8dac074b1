import type { AgentStageSummary, StageSummary } from '../core/summary.js';
import { duration, instant, part, rate } from './format.js';
import type { Paint } from './paint.js';
import { stacked, tablesWithin } from './table.js';
import { counted } from '../../shared/kernel/counted.js';

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
  const tables = tablesWithin(width, rows).map(([head = '', ...lines]) => [
    paint.dim(head),
    ...lines,
  ]);
  return [
    '',
    ...stacked(tables),
    ...(left > 0 ? [`  ... and ${counted(left, 'more agent')} in summary.txt`] : []),
  ];
}

function row(id: string, agent: AgentStageSummary, operations: readonly string[]): string[] {
  const numbers = Object.values(agent.operations);
  const perSecond = numbers.reduce((sum, operation) => sum + operation.per_second, 0);
  return [
    id,
    agent.state,
    part(agent.share),
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
