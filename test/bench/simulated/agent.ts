import { randomBytes } from 'node:crypto';
import { parseAssignment } from '../../../src/agent/core/parse-assignment.js';
import { AgentSession } from '../../../src/agent/core/session.js';
import type { SessionInput } from '../../../src/agent/core/session-io.js';
import { ControlLoop } from '../../../src/agent/shell/control-loop.js';
import { ControllerLinks } from '../../../src/agent/shell/controller-links.js';
import type { HostFacts } from '../../../src/agent/shell/host-facts.js';
import type { Clock } from '../../../src/shared/kernel/clock.js';
import type { Log } from '../../../src/shared/kernel/log.js';
import { Histogram } from '../../../src/shared/metrics/histogram.js';
import { protocolVersion } from '../../../src/shared/model/messages.js';
import { version } from '../../../src/shared/model/version.js';
import { startAgentServer } from '../../../src/shared/wire/agent-server.js';
import { product } from '../../../src/shared/wire/hello-frames.js';
import type { SimulatedLoad } from './load.js';
import { SimulatedRunners } from './runners.js';

export interface SimulatedAgentOptions {
  readonly id: string;
  readonly load: SimulatedLoad;
  /** Of a machine of its own, or the results would name all agents as neighbours. */
  readonly bootId: string;
  readonly host: HostFacts;
  readonly clock: Clock;
  readonly log: Log;
  readonly began: () => void;
}

/**
 * An agent without a process of its own and without load: server, link, session machine and control loop are the
 * program's, only the workload process is made up, and there is no spool.
 * @returns its port on loopback
 */
export async function startSimulatedAgent(options: SimulatedAgentOptions): Promise<number> {
  const { id, load, bootId, host, clock, log, began } = options;
  const instanceId = randomBytes(8).toString('hex');
  const session = new AgentSession({
    once: false,
    roots: [],
    parseAssignment,
    createHistogram: () => new Histogram(),
  });
  const feed = (input: SessionInput): void => {
    loop.feed(input);
  };
  const runners = new SimulatedRunners({
    ...{ clock, load, began },
    event: (runner, event) => {
      feed({ kind: 'runner', runner, event });
    },
    exited: (runner, exit) => {
      feed({ kind: 'runnerExited', runner, exit });
    },
  });
  const facts = { instanceId, bootId, version, host: JSON.stringify(host) };
  const links = new ControllerLinks({
    ...{ session, feed, facts, clock, log },
    spool: {
      begin: () => undefined,
      add: () => undefined,
      checkpoint: () => undefined,
      end: () => Promise.resolve(),
      metrics: { checkpoints: 0, checkpointBytes: 0 },
    },
    fetches: {
      incoming: () => Promise.reject(new Error('a simulated agent keeps nothing')),
      released: () => undefined,
    },
  });
  const loop: ControlLoop = new ControlLoop({
    ...{ session, clock, log, links, runners },
    exit: () => undefined,
    rssBytes: () => 80 * 2 ** 20,
    takeGcNs: () => 0,
  });
  const server = await startAgentServer({
    ...{ clock, log },
    listen: { host: '127.0.0.1', port: 0 },
    hello: () => ({
      ...{ product, protocol: protocolVersion, version, instanceId, bootId, agentId: id },
      state: session.state,
      owner: session.owner,
      hostname: host.hostname,
      ownerSpeaks: false,
      tokenRequired: false,
      checkpoints: [],
    }),
    session: (incoming) => void links.incoming(incoming),
  });
  return server.port;
}
