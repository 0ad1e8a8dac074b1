import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Evidence } from '../../../src/controller/core/rehearsal/evidence.js';
import type { Verdict } from '../../../src/controller/core/rehearsal/verdict.js';

/** Where reports go: `MUSTER_REPORTS`, such as `docs`, or the folder of compiled files. */
export function writeReport(name: string, text: string): void {
  const folder = process.env['MUSTER_REPORTS'] ?? fileURLToPath(new URL('../../', import.meta.url));
  fs.writeFileSync(path.join(folder, name), text);
}

/** What a figure was measured on. */
export function machine(): string {
  const cpus = os.cpus();
  const load = os.loadavg()[0] ?? 0;
  return `${cpus[0]?.model.trim() ?? 'CPU'}, ${cpus.length} cores, Linux ${os.release()}, Node ${process.version}; load average at the end ${load.toFixed(1)}`;
}

interface Hostility {
  readonly minutes: number;
  readonly seed: number;
  readonly made: ReadonlyMap<string, number>;
}

/** docs/long-run.md */
export function hostileReport(
  outcome: Verdict & { readonly evidence: Evidence },
  { minutes, seed, made }: Hostility,
): string {
  const { evidence } = outcome;
  const outages = evidence.agents.flatMap(outagesMs).sort((a, b) => a - b);
  const at = (share: number): string =>
    seconds(outages[Math.floor((outages.length - 1) * share)] ?? NaN);
  const operations = (evidence.summary?.stages ?? []).flatMap((stage) =>
    Object.entries(stage.operations).map(([name, of]) => ({ name: `${stage.name}, ${name}`, of })),
  );
  const latency = evidence.said.match(/^WARNING: Agent .* message latency/gm)?.length ?? 0;
  const lines = [
    '# A long run over hostile links',
    '',
    `\`npm run test:long\` [RUN-22]: three agents, each behind a proxy of its own, ${minutes} minutes of load, deadlines as by`,
    'default, a token (every frame is signed), spools on the agents’ disks; half of the time a closed loop, half an open one',
    'with Poisson arrivals. All the time each link has a latency of 25 to 150 ms each way, drawn anew every second (a round',
    'trip takes 50 to 300 ms); every 2 to 10 seconds one of them is disturbed, as below. Loss and reordering of packets have',
    'no meaning inside a TCP proxy: what they do to a TCP connection, that bytes come late or that it breaks, is in the list.',
    '',
    `This report is written by the test (seed ${seed}). ${machine()}.`,
    '',
    '| disturbance | times |',
    '| --- | --- |',
    ...[...made].map(([name, times]) => `| ${name} | ${times} |`),
    '',
    '| verdict | |',
    '| --- | --- |',
    `| expected | ${outcome.expected} |`,
    `| happened | ${outcome.happened} |`,
    ...outcome.problems.map((problem) => `| **wrong** | ${problem} |`),
    `| verdict | ${outcome.passed ? 'PASS' : '**FAIL**'} |`,
    `| streams lost and resumed | ${outages.length}; out for ${at(0.5)} (median), ${at(0.9)} (p90), ${at(1)} (longest) |`,
    `| warnings about latency | ${latency} |`,
    ...operations.map(
      ({ name, of: { count, bytes, missed_schedules: missed } }) =>
        `| ${name} | ${count} operations (${missed} missed their schedule), ${bytes} bytes: the same in summary, agents, their seconds and the run's seconds |`,
    ),
    `| missing intervals, doubled intervals, dropped | ${measured(evidence)} |`,
    '',
  ];
  return lines.join('\n');
}

function measured({ summary }: Evidence): string {
  const { missing_intervals, duplicate_intervals, dropped_live } = summary?.measurement ?? {};
  return [missing_intervals, duplicate_intervals, dropped_live].join(', ');
}

/** From each loss of a stream to the next one that is up. */
export function outagesMs({ links }: Evidence['agents'][number]): number[] {
  return links.flatMap(({ at_ms, link }, index) => {
    const back = links.slice(index + 1).find((later) => later.link === 'CONNECTED');
    return link === 'DISCONNECTED' && back ? [back.at_ms - at_ms] : [];
  });
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
