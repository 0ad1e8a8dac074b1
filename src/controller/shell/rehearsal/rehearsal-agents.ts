/** Agents as real processes on loopback, each behind a proxy that can be told to misbehave. */
import { fork } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../shared/kernel/clock.js';
import { codeOf, MusterError, reasonOf } from '../../../shared/kernel/errors.js';
import { exitCodes } from '../../../shared/model/outcome.js';
import { readAccess } from '../../../shared/wire/access-files.js';
import type { Access } from '../../../shared/wire/access.js';
import { greetAgent } from '../../../shared/wire/dial-agent.js';
import { agentProgram } from '../programs.js';
import { LinkProxy } from './link-proxy.js';
import { WatchedProcess } from './watched-process.js';

const startWithinMs = 180_000;
const lookEveryMs = 50;

export interface RehearsalAgent {
  /** agent-1 … */
  readonly id: string;
  readonly process: WatchedProcess;
  /** Its own. */
  readonly host: string;
  readonly port: number;
  readonly target: string;
  /** Folder of its checkpoints. */
  readonly spool: string;
  /** What the controller dials: the link's address, but for an agent on a host of its own. */
  readonly address: string;
  readonly link: LinkProxy;
}

export interface AgentsOptions {
  readonly count: number;
  /** Gets a folder per agent: the target of its load. */
  readonly folder: string;
  readonly clock: Clock;
  /** Of the programs; with BENCH_TOKEN the agents want that token from everybody, the rehearsal too. */
  readonly env: NodeJS.ProcessEnv;
  /** Added to the environment of an agent, by index. */
  readonly envOf?: ((index: number) => NodeJS.ProcessEnv) | undefined;
  /** Where an agent runs, by index; on loopback behind a proxy when left out. */
  readonly hostOf?: ((index: number) => AgentHost) | undefined;
}

/** A host that is no other machine, such as a network namespace. It is dialled without a proxy. */
export interface AgentHost {
  readonly address: string;
  /** What runs a command line there: `ip netns exec name`. */
  readonly command: readonly [string, ...string[]];
}

export class RehearsalAgents {
  readonly all: readonly RehearsalAgent[];
  readonly #options: AgentsOptions;

  private constructor(all: readonly RehearsalAgent[], options: AgentsOptions) {
    this.all = all;
    this.#options = options;
  }

  /** @throws MusterError (exit 3) naming the agent that did not start; the others are ended */
  static async start(options: AgentsOptions): Promise<RehearsalAgents> {
    const starting = Array.from({ length: options.count }, (_, index) => startOne(index, options));
    const outcomes = await Promise.allSettled(starting);
    const started = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const agents = new RehearsalAgents(started, options);
    const failed = outcomes.find((one) => one.status === 'rejected');
    if (!failed) return agents;
    await agents.stop();
    throw failed.reason;
  }

  /** @param number from 1, as in agent-1 */
  agent(number: number): RehearsalAgent {
    const agent = this.all[number - 1];
    if (!agent) throw new RangeError(`there is no agent-${number}`);
    return agent;
  }

  /** By id, how long each living agent took to belong to nobody; undefined: longer than `withinMs`. */
  async freeAfter(withinMs: number): Promise<Record<string, number | undefined>> {
    const living = this.all.filter((agent) => agent.process.running);
    const times = await Promise.all(
      living.map(async (agent) => [agent.id, await this.#freeAfter(agent, withinMs)] as const),
    );
    return Object.fromEntries(times);
  }

  /** Workload processes that are still there after `withinMs`. */
  async loadsLeft(withinMs: number): Promise<readonly number[]> {
    const { clock } = this.#options;
    const endMs = clock.nowMs() + withinMs;
    const living = (): number[] => this.all.flatMap(workloadProcesses).filter(isThere);
    while (living().length > 0 && clock.nowMs() < endMs) await pause(clock);
    return living();
  }

  /** Ends the agents, keeps what they said in `agent-N.log` beside their targets. */
  async stop(): Promise<void> {
    await Promise.all(
      this.all.map(async ({ id, process, link }) => {
        await process.stop();
        await link.close();
        await writeFile(join(this.#options.folder, `${id}.log`), process.stderr);
      }),
    );
  }

  async #freeAfter(agent: RehearsalAgent, withinMs: number): Promise<number | undefined> {
    const { clock, env } = this.#options;
    const access = await readAccess({ environmentToken: env['BENCH_TOKEN'] });
    const beganMs = clock.nowMs();
    for (;;) {
      if (await isFree(agent, clock, access)) return clock.nowMs() - beganMs;
      if (!agent.process.running || clock.nowMs() - beganMs > withinMs) return undefined;
      await pause(clock);
    }
  }
}

async function startOne(index: number, options: AgentsOptions): Promise<RehearsalAgent> {
  const { folder, clock, env, envOf, hostOf } = options;
  const place = hostOf?.(index);
  const host = place?.address ?? '127.0.0.1';
  const id = `agent-${index + 1}`;
  const target = join(folder, id);
  await mkdir(target, { recursive: true });
  const spool = join(folder, `${id}-spool`);
  const argv = ['--listen', `${host}:0`, '--id', id, '--spool', spool, '--verbose'];
  const child = fork(agentProgram, argv, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // The terminal's Ctrl-C is for the rehearsal, which ends its agents itself.
    detached: true,
    // What it leaves behind when it is killed goes with the rehearsal.
    env: { ...env, TMPDIR: folder, ...envOf?.(index) },
    ...(place && runBy(place.command)),
  });
  const process = new WatchedProcess(child, clock);
  try {
    const port = await process.until('listening', startWithinMs, () => {
      const [, digits] = /listening on [\d.]+:(\d+) /.exec(process.stdout) ?? [];
      return digits === undefined ? undefined : Number(digits);
    });
    const link = await LinkProxy.start({ host, port }, clock);
    const address = place ? `${host}:${port}` : link.address;
    return { id, process, host, port, target, spool, address, link };
  } catch (thrown) {
    await process.stop();
    throw new MusterError(`Cannot set up the rehearsal: ${id} did not start: ${reasonOf(thrown)}`, {
      exitCode: exitCodes.notStarted,
      hint: process.stderr.trim(),
      cause: thrown,
    });
  }
}

function runBy([execPath, ...rest]: AgentHost['command']) {
  return { execPath, execArgv: [...rest, process.execPath] };
}

/** Asked directly, not through the proxy. */
async function isFree(
  { host, port }: RehearsalAgent,
  clock: Clock,
  access: Access,
): Promise<boolean> {
  const address = { host, port };
  try {
    const options = { address, connectMs: 5000, helloMs: 5000, clock, access };
    const { state, owner } = await greetAgent(options, new AbortController().signal);
    return state === 'IDLE' && owner === undefined;
  } catch {
    // It does not answer: it is not free.
    return false;
  }
}

/** All workload processes that the agent has started, by its log. */
export function workloadProcesses({ process }: RehearsalAgent): number[] {
  return [...process.stderr.matchAll(/workload process (\d+) started/g)].map(([, pid]) =>
    Number(pid),
  );
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return codeOf(thrown) !== 'ESRCH';
  }
}

function pause(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.after(lookEveryMs, resolve));
}
