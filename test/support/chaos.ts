/**
 * Random runs of real programs through random faults. What is drawn decides what has to come of it: through disturbances
 * that nobody is lost by, everything; after a kill or Ctrl-C, all that is not of the one that was killed.
 */
import assert from 'node:assert/strict';
import { setTimeout as pass } from 'node:timers/promises';
import type { LinkProxy } from '../../src/controller/shell/rehearsal/link-proxy.js';
import { codeOf } from '../../src/shared/kernel/errors.js';
import { exitCodes } from '../../src/shared/model/outcome.js';
import type { Fleet } from './fleet.js';
import { workloadProcesses } from './fleet.js';
import type { FleetRun } from './fleet-run.js';
import type { Program } from './program.js';
import { SeededRandom } from './sim/random.js';

/** Far above what any disturbance lasts. An agent that was cut off when its run failed is free within `lease`. */
const patience = {
  ping_after: '30s',
  hung_after: '15s',
  prepare_silence: '40s',
  prepare_io_stall: '60s',
  collect: '40s',
  drain: '40s',
  reconnect_window: '40s',
  lease: '50s',
};

/** What happens to one agent, or to the controller, at an instant, and for how long. */
interface Fault {
  readonly atMs: number;
  readonly agent: number;
  readonly kind:
    | 'reset'
    | 'drop'
    | 'cut'
    | 'silence'
    | 'silenceUp'
    | 'silenceDown'
    | 'delay'
    | 'throttle'
    | 'flips'
    | 'freezeAgent'
    | 'freezeLoad'
    | 'freezeController';
  readonly forMs: number;
}

/** What ends the run, or a part of it, for good. */
interface Blow {
  readonly atMs: number;
  readonly kind: 'killAgent' | 'killAgentForGood' | 'killController' | 'interrupt';
  readonly agent: number;
}

export interface Scene {
  readonly seed: number;
  readonly stages: readonly object[];
  readonly faults: readonly Fault[];
  readonly blow: Blow | undefined;
}

const kinds: readonly Fault['kind'][] = [
  ...(['reset', 'drop', 'cut', 'silence', 'silenceUp', 'silenceDown'] as const),
  ...(['delay', 'throttle', 'flips', 'freezeAgent', 'freezeLoad', 'freezeController'] as const),
];

const blows: readonly Blow['kind'][] = [
  ...(['killAgent', 'killAgentForGood', 'killController', 'interrupt'] as const),
];

export function drawScene(seed: number, agents: number): Scene {
  const random = new SeededRandom(seed);
  const count = random.whole(1, 3);
  const stages = Array.from({ length: count }, (_, index) => stageOf(random, index));
  const spanMs = 4000 + count * 4000;
  const faults = Array.from({ length: random.whole(1, 6) }, (): Fault => {
    const kind = random.pick(kinds);
    const at = { atMs: random.between(0, spanMs), agent: random.whole(0, agents - 1) };
    return { ...at, kind, forMs: random.between(100, 6000) };
  });
  const blow = random.chance(0.4)
    ? {
        atMs: random.between(1000, spanMs),
        kind: random.pick(blows),
        agent: random.whole(0, agents - 1),
      }
    : undefined;
  return { seed, stages, faults, blow };
}

function stageOf(random: SeededRandom, index: number): object {
  const isPaced = random.chance(0.6);
  const mix = random.pick([
    { read: 1 },
    { write: 1 },
    { read: 70, write: 30 },
    { read: 1, stat: 1 },
  ]);
  return {
    name: `stage-${index + 1}`,
    duration: `${random.whole(2, 4)}s`,
    mix,
    access: random.pick(['random', 'sequential', 'shuffled']),
    block_size: random.pick(['4KiB', '16KiB']),
    threads: random.whole(1, 3),
    fsync: random.pick(['never', 'every', 'end']),
    ...(random.chance(0.3) && { warmup: '1s' }),
    ...(!('stat' in mix) && random.chance(0.2) && { iodepth: 4 }),
    ...(isPaced
      ? { rate: `${random.whole(50, 3000)}/s`, arrival: random.pick(['constant', 'poisson']) }
      : { think_time: '1ms' }),
  };
}

/** Plays a scene on the fleet's agents, and holds its end against what was drawn. */
export async function playScene(
  fleet: Fleet,
  proxies: readonly LinkProxy[],
  scene: Scene,
): Promise<void> {
  for (const proxy of proxies) proxy.heal();
  const through = Object.fromEntries(proxies.map(({ address }, index) => [index, address]));
  const run = fleet.run({ stages: scene.stages, through, timeouts: patience });
  // One that cannot be reached for 5 s before that is unreachable.
  await run.until('all connected', ({ phase }) => phase !== 'connecting');
  const stage = new Stage(fleet, proxies, run);
  const events = scene.faults.map((fault) => stage.inflict(fault));
  const blow = scene.blow && stage.strike(scene.blow);
  const { code, signal } = await run.program.ended;
  stage.over();
  await Promise.all(events);
  await blow;
  for (const proxy of proxies) proxy.heal();
  assertSane(run.program);
  if (signal !== null) {
    assert.equal(scene.blow?.kind, 'killController');
    await recovered(fleet, run);
  } else await judge(run, code ?? -1, scene, stage.hasStruck);
  for (const agent of fleet.agents) assertSane(agent.program);
}

/** Where the scene is played: nothing happens any more once the run is over. */
class Stage {
  readonly #fleet: Fleet;
  readonly #proxies: readonly LinkProxy[];
  readonly #run: FleetRun;
  readonly #over = new AbortController();
  hasStruck = false;

  constructor(fleet: Fleet, proxies: readonly LinkProxy[], run: FleetRun) {
    this.#fleet = fleet;
    this.#proxies = proxies;
    this.#run = run;
  }

  over(): void {
    this.#over.abort();
  }

  async inflict({ atMs, agent, kind, forMs }: Fault): Promise<void> {
    if (!(await this.#reaches(atMs))) return;
    const proxy = this.#proxies[agent];
    assert.ok(proxy);
    switch (kind) {
      case 'reset':
        proxy.reset();
        return;
      case 'drop':
        proxy.drop();
        return;
      case 'cut':
        proxy.refuse(true);
        proxy.reset();
        await this.#reaches(forMs);
        proxy.refuse(false);
        return;
      case 'silence':
        return this.#shaped(forMs, () => proxy.shapeBoth({ stalled: true }), proxy);
      case 'silenceUp':
        return this.#shaped(forMs, () => proxy.shape('up', { stalled: true }), proxy);
      case 'silenceDown':
        return this.#shaped(forMs, () => proxy.shape('down', { stalled: true }), proxy);
      case 'delay':
        return this.#shaped(forMs, () => proxy.shapeBoth({ delayMs: 300 }), proxy);
      case 'throttle':
        return this.#shaped(forMs, () => proxy.shapeBoth({ bytesPerSecond: 16_384 }), proxy);
      case 'flips':
        return this.#shaped(forMs, () => proxy.shape('down', { flipEvery: 20_000 }), proxy);
      case 'freezeAgent':
        return this.#frozen(this.#fleet.agent(agent).program.pid, forMs);
      case 'freezeLoad':
        return this.#frozen(workloadProcesses(this.#fleet.agent(agent)).at(-1), forMs);
      case 'freezeController':
        return this.#frozen(this.#run.program.pid, forMs);
    }
  }

  async strike({ atMs, kind, agent }: Blow): Promise<void> {
    if (!(await this.#reaches(atMs))) return;
    this.hasStruck = true;
    switch (kind) {
      case 'killAgent':
        this.#fleet.agent(agent).program.kill('SIGKILL');
        await this.#fleet.agent(agent).program.ended;
        await this.#fleet.restart(agent);
        return;
      case 'killAgentForGood':
        this.#fleet.agent(agent).program.kill('SIGKILL');
        return;
      case 'killController':
        this.#run.program.kill('SIGKILL');
        return;
      case 'interrupt':
        this.#run.program.kill('SIGINT');
        return;
    }
  }

  async #shaped(forMs: number, shape: () => void, proxy: LinkProxy): Promise<void> {
    shape();
    await this.#reaches(forMs);
    proxy.heal();
  }

  async #frozen(pid: number | undefined, forMs: number): Promise<void> {
    if (pid === undefined || !signal(pid, 'SIGSTOP')) return;
    await pass(forMs);
    signal(pid, 'SIGCONT');
  }

  /** False: the run was over before. */
  async #reaches(ms: number): Promise<boolean> {
    if (this.#over.signal.aborted) return false;
    return pass(ms, true, { signal: this.#over.signal }).catch(() => false);
  }
}

/** @returns whether there was somebody to take it */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (thrown) {
    if (codeOf(thrown) !== 'ESRCH') throw thrown;
    return false;
  }
}

/** Whatever happened: no stack, no bug's exit code, no number that is none. */
function assertSane({ output }: Program): void {
  assert.doesNotMatch(
    output,
    /\n\s+at .*[:(]\d+|TypeError|RangeError|\bNaN\b|\bundefined\b|\[object /,
  );
  assert.doesNotMatch(output, /Invalid transition|internal error/i);
}

async function judge(run: FleetRun, code: number, scene: Scene, struck: boolean): Promise<void> {
  const kind = struck ? scene.blow?.kind : undefined;
  const isDone = code === exitCodes.completed;
  switch (kind) {
    case undefined:
      assert.equal(code, 0, run.said);
      break;
    case 'interrupt':
      assert.ok(isDone || code === exitCodes.interrupted, `exit ${code}\n${run.said}`);
      break;
    case 'killAgent':
    case 'killAgentForGood':
      assert.ok([0, 3, 4].includes(code), `exit ${code}\n${run.said}`);
      break;
    case 'killController':
      assert.ok(isDone, `exit ${code}\n${run.said}`);
  }
  run.checkSums();
  if (code === exitCodes.notStarted) return;
  const { stages } = run.summary();
  for (const stage of stages) {
    for (const [id, { state, missing_seconds }] of Object.entries(stage.agents)) {
      const isStruck =
        kind?.startsWith('killAgent') && id === `agent-${(scene.blow?.agent ?? 0) + 1}`;
      if (isDone || (code === exitCodes.partial && !isStruck)) assert.equal(state, 'COMPLETED', id);
      if (state === 'COMPLETED') assert.equal(missing_seconds, 0, `${stage.name} ${id}`);
    }
  }
}

async function recovered(fleet: Fleet, run: FleetRun): Promise<void> {
  const recover = fleet.controller(['recover', run.folder]);
  const { code } = await recover.ended;
  assertSane(recover);
  assert.ok(code === exitCodes.completed || code === exitCodes.partial, recover.output);
  run.checkSums();
}
