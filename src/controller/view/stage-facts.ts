/** What the summary and the report page say of a stage in the same words. */
import { nounFor } from '../../shared/kernel/counted.js';
import type { StageSummary } from '../core/summary.js';
import { bytes, count, instant, rate } from './format.js';

/** `after 2.000 s of warm-up`; nothing without one. */
export function warmupFact({ warmup }: StageSummary): readonly string[] {
  if (warmup === null) return [];
  const { complete, seconds } = warmup;
  return [`${complete ? 'after' : 'stopped before the end of'} ${instant(seconds)} of warm-up`];
}

/** What did the I/O; which agents, where they differ. */
export function mechanismFacts({ agents }: StageSummary): readonly string[] {
  const agentsBy = new Map<string, string[]>();
  for (const [id, { mechanism }] of Object.entries(agents)) {
    if (mechanism === null || mechanism === '') continue;
    agentsBy.set(mechanism, [...(agentsBy.get(mechanism) ?? []), id]);
  }
  const differ = agentsBy.size > 1;
  return [...agentsBy].map(
    ([mechanism, ids]) => `I/O by ${mechanism}${differ ? `: ${ids.join(', ')}` : ''}`,
  );
}

/** `achieved 18 200/s of 20 000/s, 1 800 schedules missed`; nothing in closed loop. */
export function rateFact({ rate: paced }: StageSummary): readonly string[] {
  if (paced === null) return [];
  const show = (value: number): string =>
    paced.unit === 'bytes' ? `${bytes(value)}/s` : `${rate(value)} ops/s`;
  const { achieved_per_second: achieved, planned_per_second: planned } = paced;
  const facts = [
    `achieved ${show(achieved)} of ${show(planned)} (${paced.arrival} arrivals)`,
    `${count(paced.missed_schedules)} ${nounFor(paced.missed_schedules, 'schedule')} missed`,
  ];
  if (paced.unissued_schedules > 0) {
    facts.push(`${count(paced.unissued_schedules)} of them never issued`);
  }
  return [facts.join(', ')];
}

/** The headline rates of those alone that were there to the end; nothing when all were, or none. */
export function survivorsFact(stage: StageSummary): readonly string[] {
  const { agents_completed: completed, agents_started: started, operations } = stage;
  if (completed === 0 || completed === started) return [];
  const rates = Object.entries(operations).flatMap(([name, numbers]) => {
    const { survivors_per_second: ops, survivors_bytes_per_second: moved } = numbers;
    if (ops === null || moved === null) return [];
    return [`${name} ${rate(ops)} ops/s${moved > 0 ? `, ${bytes(moved)}/s` : ''}`];
  });
  const who = `the ${String(completed)} ${nounFor(completed, 'agent that', 'agents that')} completed it`;
  return rates.length === 0 ? [] : [`${who} alone: ${rates.join('; ')}`];
}
