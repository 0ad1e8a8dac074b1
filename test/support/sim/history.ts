import { splitPlan } from '../../../src/shared/model/split-plan.js';
import { Path, noFrameFaults } from './network.js';
import type { AgentScenario, Fault, Scenario } from './scenario.js';
import { SimAgent } from './sim-agent.js';
import { SimController } from './sim-controller.js';
import type { LoadTruth, SimRunner } from './sim-runner.js';
import { SimClock, World } from './world.js';

/** When the run begins, in the world's time: clocks that are behind then still show something positive. */
const beginMs = 1000;

/** No history takes so many steps; one that does goes round in circles. */
const mostHappenings = 1_000_000;

type FaultOfOne = Extract<Fault, { readonly agent: number }>;

export class SimHost {
  readonly path: Path;
  readonly clock: SimClock;
  current: SimAgent | undefined;
  /** Agents that ran here, the dead ones too. */
  readonly all: SimAgent[] = [];
  readonly log: string[] = [];
  readonly #world: World;
  readonly #index: number;
  readonly #scenario: AgentScenario;
  readonly #truths: LoadTruth[];

  constructor(world: World, index: number, scenario: AgentScenario, truths: LoadTruth[]) {
    this.#world = world;
    this.#index = index;
    this.#scenario = scenario;
    this.#truths = truths;
    this.path = new Path(world, scenario.delayMs, scenario.jitterMs);
    this.clock = new SimClock(world, scenario.clockOffsetMs, scenario.driftPpm);
    if (scenario.listens) this.start();
  }

  agent(): SimAgent | undefined {
    return this.current?.process.dead ? undefined : this.current;
  }

  start(): void {
    this.current = new SimAgent({
      world: this.#world,
      clock: this.clock,
      index: this.#index,
      instance: `instance-${String(this.#index)}-${String(this.all.length)}`,
      traits: this.#scenario.traits,
      truths: this.#truths,
      log: (line) => this.log.push(line),
    });
    this.all.push(this.current);
  }

  get runners(): SimRunner[] {
    return this.all.flatMap(({ liveRunners }) => liveRunners);
  }
}

/** One whole run in a world of its own, with everything that goes wrong in it. */
export class History {
  readonly scenario: Scenario;
  readonly world: World;
  readonly hosts: readonly SimHost[];
  readonly controller: SimController;
  readonly truths: LoadTruth[] = [];
  /** When the controller was killed. */
  controllerDiedMs: number | undefined;
  /** Stretches of the world's time in which the controller did not run. */
  controllerFrozenMs = 0;
  interruptedAtMs: number | undefined;
  /** Agents that were not free soon after the end of the run. */
  ownedAfterEnd: readonly number[] = [];

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    const { plan, mode, seed } = scenario;
    this.world = new World(seed);
    this.hosts = scenario.agents.map(
      (agent, index) => new SimHost(this.world, index, agent, this.truths),
    );
    this.controller = new SimController({
      world: this.world,
      clock: new SimClock(this.world, 5e6, 0),
      hosts: this.hosts,
      run: {
        runId: 'run-1',
        plan,
        mode,
        assignments: splitPlan(plan, 'run-1', 'root@ctl', mode, { datasetHash: 'abc' }),
        cleanup: scenario.cleanup,
        random: () => this.world.random.next(),
      },
    });
  }

  /** Until the run has finished; then on, until every agent has come to rest. */
  play(limitMs: number, restMs: number): this {
    this.world.at(beginMs, () => {
      this.controller.feed({ kind: 'start' });
    });
    for (const fault of this.scenario.faults) {
      this.world.at(beginMs + fault.atMs, () => {
        this.#strike(fault);
      });
    }
    const isOver = (): boolean =>
      this.controller.finished !== undefined || this.controllerDiedMs !== undefined;
    this.#run(beginMs + limitMs, isOver);
    const { agents } = this.scenario;
    const slowestMs = Math.max(...agents.map(({ delayMs, jitterMs }) => delayMs + jitterMs));
    const abortMs = this.interruptedAtMs === undefined ? 0 : this.scenario.plan.timeouts.abortMs;
    this.#run(this.world.nowMs + abortMs + 500 + 4 * slowestMs, () => false);
    this.ownedAfterEnd = this.hosts.flatMap((host, index) =>
      host.agent()?.session.owner ? [index] : [],
    );
    // Whatever was frozen or blocked for longer comes back in this time.
    this.#run(this.world.nowMs + restMs, () => false);
    return this;
  }

  get beganAtMs(): number {
    return beginMs;
  }

  #run(untilMs: number, done: () => boolean): void {
    this.world.run(untilMs, () => {
      if (this.world.happened > mostHappenings)
        throw new Error('the history goes round in circles');
      return done();
    });
  }

  #strike(fault: Fault): void {
    switch (fault.kind) {
      case 'interrupt':
        this.#interrupt(fault.againAfterMs);
        return;
      case 'freezeController':
        this.#freezeController(fault.forMs);
        return;
      case 'stutter':
        this.#repeat(fault.times, fault.everyMs, () => {
          this.#freezeController(fault.forMs);
        });
        return;
      case 'outage':
        for (const agent of fault.agents) this.#outage(this.hosts[agent], fault);
        return;
      case 'crashController':
        if (this.controller.finished) return;
        this.controllerDiedMs = this.world.nowMs;
        this.controller.crash();
        return;
      default: {
        const host = this.hosts[fault.agent];
        if (host) this.#strikeHost(host, fault);
      }
    }
  }

  #strikeHost(host: SimHost, fault: FaultOfOne): void {
    const { path } = host;
    switch (fault.kind) {
      case 'cut':
        path.cut();
        return;
      case 'flap':
        this.#repeat(fault.times, fault.everyMs, () => {
          path.cut();
        });
        return;
      case 'throttle':
        path.bytesPerSecond = fault.bytesPerSecond;
        this.world.after(fault.forMs, () => (path.bytesPerSecond = Infinity));
        return;
      case 'refuse':
        path.refusedUntilMs = this.world.nowMs + fault.forMs;
        path.cut();
        return;
      case 'block':
        for (const end of ['controller', 'agent'] as const) {
          if (fault.from !== end && fault.from !== 'both') continue;
          path.blockedUntilMs[end] = this.world.nowMs + fault.forMs;
        }
        return;
      case 'slow': {
        const before = path.delayMs;
        path.delayMs = fault.delayMs;
        this.world.after(fault.forMs, () => (path.delayMs = before));
        return;
      }
      case 'frames':
        path.faults = fault.faults;
        this.world.after(fault.forMs, () => (path.faults = noFrameFaults));
        return;
      case 'freeze':
        this.#freeze(host, fault.what, fault.forMs);
        return;
      case 'crashAgent':
        host.agent()?.crash();
        if (fault.restartAfterMs === undefined) return;
        this.world.after(fault.restartAfterMs, () => {
          if (!host.agent()) host.start();
        });
        return;
      case 'killRunner':
        for (const runner of host.runners) runner.kill('SIGKILL');
        return;
      case 'stall':
        for (const runner of host.runners) runner.stall(fault.forMs);
        return;
      case 'stopAgent':
        host.agent()?.operatorStop();
        return;
      default:
        fault satisfies never;
    }
  }

  #repeat(times: number, everyMs: number, happen: () => void): void {
    for (let time = 0; time < times; time += 1) this.world.after(time * everyMs, happen);
  }

  #outage(host: SimHost | undefined, { refused, forMs }: Extract<Fault, { kind: 'outage' }>): void {
    if (!host) return;
    const { path } = host;
    const untilMs = this.world.nowMs + forMs;
    if (!refused) {
      path.blockedUntilMs.controller = untilMs;
      path.blockedUntilMs.agent = untilMs;
      return;
    }
    path.refusedUntilMs = untilMs;
    path.cut();
  }

  #freeze(host: SimHost, what: 'control' | 'runner' | 'host', forMs: number): void {
    const agent = host.agent();
    const runners = what === 'control' ? [] : host.runners;
    if (what !== 'runner') agent?.process.freeze();
    for (const runner of runners) runner.freeze();
    this.world.after(forMs, () => {
      for (const runner of runners) runner.unfreeze();
      agent?.process.unfreeze();
    });
  }

  #freezeController(forMs: number): void {
    const { process } = this.controller;
    if (process.frozen) return;
    process.freeze();
    this.controllerFrozenMs += forMs;
    this.world.after(forMs, () => {
      process.unfreeze();
    });
  }

  #interrupt(againAfterMs: number | undefined): void {
    this.interruptedAtMs ??= this.world.nowMs;
    this.controller.interrupt();
    if (againAfterMs === undefined) return;
    this.world.after(againAfterMs, () => {
      this.controller.interrupt();
    });
  }
}
