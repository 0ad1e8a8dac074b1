import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { MusterError } from '../../shared/kernel/errors.js';
import type { Clock } from '../../shared/kernel/clock.js';
import { exitCodes } from '../../shared/model/outcome.js';
import { isEmbedded } from '../../shared/model/embedded.js';
import type { AgentPlan, Plan } from '../../shared/model/plan.js';
import type { Access } from '../../shared/wire/access.js';
import { Token } from '../../shared/wire/auth.js';
import { agentProgram } from './programs.js';

interface EmbeddedAgent {
  /** 127.0.0.1:port */
  readonly address: string;
  /** Asks the agent to end, and ends it if it does not within `withinMs`. */
  stop(withinMs: number): Promise<void>;
}

const startWithinMs = 30_000;
const stopWithinMs = 5000;

function isListening(message: unknown): message is { kind: 'listening'; port: number } {
  return (
    typeof message === 'object' &&
    message !== null &&
    'kind' in message &&
    message.kind === 'listening' &&
    'port' in message &&
    typeof message.port === 'number'
  );
}

/** Forks one agent on a free loopback port; it ends itself when this process goes away (its IPC channel closes). */
async function startOne(
  id: string,
  flags: readonly string[],
  secret: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<EmbeddedAgent> {
  const child = fork(agentProgram, ['--listen', '127.0.0.1:0', '--id', id, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Not in its arguments, which every user of the host can see.
    env: { ...process.env, BENCH_TOKEN: secret },
    // Its own process group: the terminal's Ctrl-C is for the controller, which tells the agents in order.
    detached: true,
  });
  let words = '';
  child.stderr?.on('data', (data: Buffer) => {
    words = (words + data.toString()).slice(-2000);
  });
  const port = await new Promise<number>((resolve, reject) => {
    const settled = (): void => {
      cancel();
      signal.removeEventListener('abort', interrupt);
    };
    const fail = (why: string): void => {
      settled();
      reject(
        new MusterError(`Embedded agent ${id} did not start: ${why}`, {
          exitCode: exitCodes.notStarted,
          hint: words.trim(),
        }),
      );
    };
    const interrupt = (): void => {
      settled();
      child.kill('SIGKILL');
      reject(interrupted());
    };
    const cancel = clock.after(startWithinMs, () => {
      child.kill('SIGKILL');
      fail(`no word from it for ${startWithinMs / 1000}s`);
    });
    signal.addEventListener('abort', interrupt);
    child.on('message', (message) => {
      if (!isListening(message)) return;
      settled();
      resolve(message.port);
    });
    child.once('error', (error) => {
      fail(error.message);
    });
    child.once('exit', (code, killedBy) => {
      fail(`it ended with ${killedBy ?? `exit code ${code}`}`);
    });
  });
  return { address: `127.0.0.1:${port}`, stop: (withinMs) => stop(child, withinMs, clock) };
}

function interrupted(): MusterError {
  return new MusterError('Interrupted while the embedded agents started: nothing was run', {
    exitCode: exitCodes.interrupted,
  });
}

function stop(child: ChildProcess, withinMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    const cancel = clock.after(withinMs, () => child.kill('SIGKILL'));
    child.once('exit', () => {
      cancel();
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** A plan whose agents can be dialled, and what they want to see. */
export interface ReachableFleet {
  readonly plan: Plan;
  readonly access: Access;
}

/** A plan before its embedded agents are started. */
export interface PlannedFleet extends ReachableFleet {
  /** Flags of bench-agent for them, besides where to listen. */
  readonly embeddedFlags: readonly string[];
}

/**
 * Calls `work` with the plan in which every embedded agent has the address of one that was started for it, and stops
 * those afterwards, however it ends. They are for this command only: a token that nobody else knows keeps the other
 * users of the host from having work done in the name of this one. `signal` ends the wait for their start with a
 * MusterError (130).
 */
export async function withEmbeddedAgents<T>(
  fleet: PlannedFleet,
  clock: Clock,
  signal: AbortSignal,
  work: (fleet: ReachableFleet) => Promise<T>,
): Promise<T> {
  const { plan } = fleet;
  const ids = plan.agents.filter(({ address }) => isEmbedded(address)).map(({ id }) => id);
  if (ids.length === 0) return work(fleet);
  const secret = randomBytes(32).toString('hex');
  const started = await startEmbeddedAgents(ids, fleet.embeddedFlags, secret, clock, signal);
  const addresses = new Map(ids.map((id, index) => [id, started[index]?.address]));
  const agents = plan.agents.map((agent): AgentPlan => {
    const address = addresses.get(agent.id);
    return address === undefined ? agent : { ...agent, address, isEmbedded: true };
  });
  try {
    return await work({ plan: { ...plan, agents }, access: { token: new Token(secret) } });
  } finally {
    await Promise.all(started.map((agent) => agent.stop(stopWithinMs)));
  }
}

/**
 * Starts one agent per id on loopback.
 * @throws MusterError (exit 3) naming the agent that did not start; those that did are stopped again.
 */
async function startEmbeddedAgents(
  ids: readonly string[],
  flags: readonly string[],
  secret: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly EmbeddedAgent[]> {
  if (signal.aborted) throw interrupted();
  // One for each agent: not the leak that Node would warn the user of.
  setMaxListeners(ids.length, signal);
  const outcomes = await Promise.allSettled(
    ids.map((id) => startOne(id, flags, secret, clock, signal)),
  );
  const started = outcomes.flatMap((o) => (o.status === 'fulfilled' ? [o.value] : []));
  const failed = outcomes.find((o) => o.status === 'rejected');
  if (!failed) return started;
  await Promise.all(started.map((agent) => agent.stop(0)));
  throw failed.reason;
}
