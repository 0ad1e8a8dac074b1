/** Plays one scenario with real processes and judges it by what is left behind. */
import { join } from 'node:path';
import type { Clock } from '../../../shared/kernel/clock.js';
import { reasonOf } from '../../../shared/kernel/errors.js';
import type { Evidence } from '../../core/rehearsal/evidence.js';
import { judgeEvidence, type Verdict } from '../../core/rehearsal/verdict.js';
import { RehearsalAgents, type AgentsOptions } from './rehearsal-agents.js';
import { RehearsedRun } from './rehearsed-run.js';
import { shortTimeouts, type Scenario, type Scene } from './scenario.js';
import { mountSmallDisk, type SmallDisk } from './small-disk.js';

export interface RehearsalOptions {
  /** Empty or not there: gets everything the scenario leaves behind. */
  readonly folder: string;
  readonly clock: Clock;
  /** Of the programs. */
  readonly env: NodeJS.ProcessEnv;
  /** Ends the rehearsal early; it rejects then. */
  readonly signal: AbortSignal;
  /** See AgentsOptions. */
  readonly hostOf?: AgentsOptions['hostOf'] | undefined;
}

export type Rehearsed =
  | (Verdict & { readonly tookMs: number; readonly evidence: Evidence })
  | { readonly leftOut: string };

/** How long agents are given to become free before a verdict says how long that took. */
const freeLookMs = 60_000;
const usualDeadlineMs = 60_000;

export async function rehearse(scenario: Scenario, options: RehearsalOptions): Promise<Rehearsed> {
  const disk = scenario.onSmallDisk
    ? await mountSmallDisk(join(options.folder, 'results'), 'size=20m')
    : undefined;
  if (disk && 'why' in disk) return { leftOut: disk.why };
  try {
    return await withAgents(scenario, options, disk);
  } finally {
    await disk?.unmount();
  }
}

async function withAgents(
  scenario: Scenario,
  options: RehearsalOptions,
  disk: SmallDisk | undefined,
): Promise<Rehearsed> {
  const { folder, clock, env, signal } = options;
  const shifts = scenario.clockShiftsMs;
  const agents = await RehearsalAgents.start({
    count: scenario.agentCount ?? 3,
    folder,
    clock,
    env,
    hostOf: options.hostOf,
    envOf: shifts && ((index) => shiftedClock(env, shifts[index] ?? 0)),
  });
  let run: RehearsedRun | undefined;
  try {
    signal.throwIfAborted();
    scenario.arrange?.(agents);
    const request = { folder, config: configOf(scenario, agents), clock, env };
    run = await RehearsedRun.start({ ...request, resultsParent: disk?.path });
    const evidence = await unlessAborted(signal, gather(scenario, { agents, run, disk }));
    const verdict = judgeEvidence(evidence, scenario.checks);
    return { ...verdict, tookMs: evidence.tookMs, evidence };
  } finally {
    await run?.stop();
    await agents.stop();
  }
}

/** Does not wait for what is under way, which may be asking an agent that is gone. @throws the reason of the abort */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stopWaiting = (): void => undefined;
  const aborted = new Promise<void>((resolve) => {
    stopWaiting = resolve;
  });
  signal.addEventListener('abort', stopWaiting);
  try {
    await Promise.race([work, aborted]);
    signal.throwIfAborted();
    return await work;
  } finally {
    signal.removeEventListener('abort', stopWaiting);
    // What becomes of it then is nobody's business.
    work.catch(() => undefined);
  }
}

async function gather(scenario: Scenario, scene: Scene): Promise<Evidence> {
  const { agents, run } = scene;
  const ending = run.end(scenario.deadlineMs ?? usualDeadlineMs);
  let notMade: string | undefined;
  try {
    await scenario.act(scene);
  } catch (thrown) {
    notMade = reasonOf(thrown);
    run.process.kill('SIGINT');
  }
  const ended = await ending;
  // A frozen agent goes on, and finds out by itself that its run is over.
  for (const { process } of agents.all) process.kill('SIGCONT');
  await scenario.afterwards?.(scene);
  const [freeAfterMs, loadsLeft] = await Promise.all([
    agents.freeAfter(freeLookMs),
    agents.loadsLeft(freeLookMs),
  ]);
  return {
    ...ended,
    said: run.process.stderr,
    printed: run.process.stdout,
    ...(await run.results()),
    freeAfterMs,
    loadsLeft,
    notMade,
  };
}

function configOf(scenario: Scenario, agents: RehearsalAgents): object {
  return {
    name: scenario.name,
    agents: agents.all.map(({ id, address, target }) => ({
      id,
      address,
      target: scenario.target ?? target,
    })),
    dataset: { name: 'rehearsal', files: 4, file_size: '64KiB' },
    // Synchronous writes: load that mostly waits for the disk leaves the processor to the programs.
    stages: [
      {
        name: 'load',
        mix: { read: 50, write: 50 },
        block_size: '4KiB',
        access: 'random',
        fsync: 'every',
        duration: `${scenario.seconds ?? 4}s`,
      },
    ],
    timeouts: { ...shortTimeouts, ...scenario.timeouts },
    ...scenario.config,
  };
}

const shiftedClockModule = new URL('./shifted-clock.js', import.meta.url).href;

function shiftedClock(env: NodeJS.ProcessEnv, shiftMs: number): NodeJS.ProcessEnv {
  const before = env['NODE_OPTIONS'] === undefined ? '' : `${env['NODE_OPTIONS']} `;
  return {
    NODE_OPTIONS: `${before}--import=${shiftedClockModule}`,
    MUSTER_CLOCK_SHIFT_MS: String(shiftMs),
  };
}
