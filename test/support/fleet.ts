/** Agents and controllers as real processes on one host, each agent with a target of its own; ends what it started. */
import fs from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { codeOf } from '../../src/shared/kernel/errors.js';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import type { HelloReply } from '../../src/shared/model/messages.js';
import { greetAgent } from '../../src/shared/wire/dial-agent.js';
import { startAgentProcess, type AgentProcess } from './agent-process.js';
import { FleetRun } from './fleet-run.js';
import { Program } from './program.js';
import { temporaryFolder } from './temporary-folder.js';
import { eventually } from './eventually.js';

export interface FleetAgent extends AgentProcess {
  /** agent-1 …: as the controller calls it when the agents are listed in order. */
  readonly id: string;
  readonly target: string;
}

export interface FleetOptions {
  /** Three when left out. */
  readonly count?: number;
  /** Flags of every agent. */
  readonly argv?: readonly string[];
  /** Environment of an agent, by index. */
  readonly env?: (index: number) => NodeJS.ProcessEnv;
}

/** What differs from the usual run of these tests: one stage of a few seconds, deadlines of a few seconds. */
export interface RunSettings {
  readonly stages?: readonly object[];
  /** Of the one usual stage. */
  readonly seconds?: number;
  readonly dataset?: object;
  readonly timeouts?: Readonly<Record<string, string>>;
  /** Addresses to dial in the place of an agent's own, by index. */
  readonly through?: Readonly<Record<number, string>>;
  /** The indexes of the agents that take part, all when left out. */
  readonly agents?: readonly number[];
  readonly argv?: readonly string[];
  /** Of the controller. */
  readonly env?: NodeJS.ProcessEnv;
  /** run when left out. */
  readonly command?: 'run' | 'prepare';
  /** Any other key of the config. */
  readonly config?: object;
}

/** Far below the defaults, far above what a loaded machine takes to answer. */
export const shortTimeouts = {
  ping_after: '4s',
  hung_after: '2s',
  prepare_silence: '4s',
  collect: '4s',
  drain: '4s',
  reconnect_window: '4s',
  lease: '8s',
};

/** The dead man's switch of an agent under `shortTimeouts`, with the time a loaded machine may add. */
export const deadMansSwitchMs = (4 + 5 + 30) * 1000;

/** Takes longer to write than any of these tests waits: for faults in the middle of a prepare. */
export const largeDataset = { files: 20_000, file_size: '1MiB', content: 'zero' };

export class Fleet {
  readonly agents: FleetAgent[] = [];
  readonly folder: string;
  readonly #programs: Program[] = [];
  readonly #options: FleetOptions;
  #runs = 0;

  private constructor(folder: string, options: FleetOptions) {
    this.folder = folder;
    this.#options = options;
  }

  /**
   * One fleet for the subtests of `t`: the same agents serve one after the other, only killed ones are replaced. At its
   * end all processes are killed and the folder is removed.
   */
  static async start(t: TestContext, options: FleetOptions = {}): Promise<Fleet> {
    const folder = temporaryFolder();
    const fleet = new Fleet(folder.path, options);
    t.beforeEach(() => fleet.ready());
    t.after(async () => {
      await Promise.all(fleet.#programs.map((program) => program.stop()));
      await fleet.#removeFolder(folder.remove);
    });
    await Promise.all(
      Array.from({ length: options.count ?? 3 }, (_, index) => fleet.#startAgent(index)),
    );
    return fleet;
  }

  agent(index: number): FleetAgent {
    const agent = this.agents[index];
    if (!agent) throw new RangeError(`the fleet has no agent ${index}`);
    return agent;
  }

  /** Starts anew those agents that are no longer there, and waits until the others are free. */
  async ready(): Promise<void> {
    await Promise.all(
      this.agents.map(async (agent, index) => {
        if (!agent.program.running) {
          await this.#startAgent(index);
          return;
        }
        // A test that failed may have left it stopped.
        agent.program.kill('SIGCONT');
        await this.idle(agent);
      }),
    );
  }

  /** A controller as a real process, running the usual config with these changes. */
  run(settings: RunSettings = {}): FleetRun {
    this.#runs += 1;
    const home = path.join(this.folder, `run-${this.#runs}`);
    fs.mkdirSync(home);
    const config = path.join(home, 'config.json');
    fs.writeFileSync(config, JSON.stringify(this.#config(settings), undefined, 2));
    const results = path.join(home, 'results');
    const argv = [settings.command ?? 'run', config, '--results', results, '--progress', 'json'];
    const argvOfRun = [...argv, ...(settings.argv ?? [])];
    const program = new Program('bench-controller', argvOfRun, settings.env);
    this.#programs.push(program);
    return new FleetRun(program, config, results);
  }

  /** Any other command line of the controller. */
  controller(argv: string[]): Program {
    const program = new Program('bench-controller', argv);
    this.#programs.push(program);
    return program;
  }

  hello(agent: { readonly port: number }): Promise<HelloReply> {
    const patience = { connectMs: 30_000, helloMs: 30_000, clock: systemClock };
    const address = { host: '127.0.0.1', port: agent.port };
    return greetAgent({ address, ...patience }, new AbortController().signal);
  }

  /** The agent belongs to nobody; fails when that is not so within `withinMs`. */
  async idle(agent: FleetAgent, withinMs = 60_000): Promise<void> {
    await eventually(`${agent.id} idle`, withinMs, async () => {
      const { state, owner } = await this.hello(agent);
      return state === 'IDLE' && owner === undefined ? true : undefined;
    });
  }

  /** A new process in the place of one that was killed: same address, same flags, what was on its disk. */
  async restart(index: number): Promise<FleetAgent> {
    const before = this.agent(index);
    const argv = ['--verbose', ...(this.#options.argv ?? [])];
    const started = await startAgentProcess(argv, this.#options.env?.(index), before.port);
    this.#programs.push(started.program);
    const agent = { ...before, ...started };
    this.agents[index] = agent;
    return agent;
  }

  async #startAgent(index: number): Promise<void> {
    const id = `agent-${index + 1}`;
    const target = path.join(this.folder, id);
    fs.mkdirSync(target, { recursive: true });
    // A killed agent could not clean up behind itself; its successor starts on an empty folder.
    for (const left of fs.readdirSync(target)) {
      fs.rmSync(path.join(target, left), { recursive: true, force: true });
    }
    const started = await startAgentProcess(
      ['--verbose', ...(this.#options.argv ?? [])],
      this.#options.env?.(index),
    );
    this.#programs.push(started.program);
    this.agents[index] = { ...started, id, target };
  }

  #config(settings: RunSettings): object {
    const indexes = settings.agents ?? this.agents.map((_, index) => index);
    const agents = indexes.map((index) => {
      const { address, id, target } = this.agent(index);
      return { address: settings.through?.[index] ?? address, id, target };
    });
    // Synchronous writes: load that mostly waits for the disk leaves the processor to the processes under test.
    const mix = { read: 50, write: 50 };
    const usual = { mix, block_size: '4KiB', access: 'random', fsync: 'every' };
    return {
      name: 'faults',
      agents,
      // What an aborted run leaves on the disk must not be in the way of the next one.
      dataset: { name: `data-${this.#runs}`, files: 4, file_size: '64KiB', ...settings.dataset },
      stages: (settings.stages ?? [{ name: 'load', duration: `${settings.seconds ?? 4}s` }]).map(
        (stage) => ({ ...usual, ...stage }),
      ),
      timeouts: { ...shortTimeouts, ...settings.timeouts },
      ...settings.config,
    };
  }

  /** A workload process outlives its agent for a moment, and may still be writing. */
  async #removeFolder(remove: () => void): Promise<void> {
    await eventually('folder removed', 60_000, async () => {
      remove();
      return fs.existsSync(this.folder) ? undefined : true;
    });
  }
}

/** All workload processes that the agent has started so far, the latest last. */
export function workloadProcesses(agent: FleetAgent): number[] {
  return [...agent.program.output.matchAll(/workload process (\d+) started/g)].map(([, pid]) =>
    Number(pid),
  );
}

/** The workload process that the agent works for this run with. */
export async function workloadProcess(agent: FleetAgent, run: FleetRun): Promise<number> {
  const { run_id } = await run.until('first progress', () => true);
  const pattern = new RegExp(`Run ${run_id} of[^]*?workload process (\\d+) started`);
  return Number((await agent.program.waitFor(pattern))[1]);
}

/** A workload process that makes no headway, as on storage that hangs: the agent itself goes on answering. */
export async function holdWork(agent: FleetAgent, run: FleetRun): Promise<{ release(): void }> {
  const pid = await workloadProcess(agent, run);
  process.kill(pid, 'SIGSTOP');
  return {
    release: () => {
      try {
        process.kill(pid, 'SIGCONT');
      } catch (thrown) {
        // Its agent may have killed it meanwhile: that works on a stopped process, too.
        if (codeOf(thrown) !== 'ESRCH') throw thrown;
      }
    },
  };
}

/** Time for an agent whose work is held at the end of a stage. */
export const patientTimeouts = { drain: '60s', cleanup: '60s', collect: '10s' };

/**
 * Brings a run into its cleanup and keeps it there, because `held` gets no further with its own; `last` is another agent,
 * held at the end of its stage until `held` has done its part.
 */
export async function heldInCleanup(
  run: FleetRun,
  held: FleetAgent,
  last: FleetAgent,
): Promise<{ release(): void }> {
  await run.loaded();
  const late = await holdWork(last, run);
  await run.until(`${held.id} done`, ({ agents }) =>
    agents.some(({ id, state }) => id === held.id && state === 'COMPLETED'),
  );
  const holding = await holdWork(held, run);
  late.release();
  await run.until(`cleanup, ${held.id} not done`, ({ phase }) => phase === 'cleaning');
  return holding;
}
