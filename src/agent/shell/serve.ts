import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { GcTime } from '../runner/gc-time.js';
import type { Clock } from '../../shared/kernel/clock.js';
import type { HttpAddress } from '../../shared/wire/listen-http.js';
import type { Log } from '../../shared/kernel/log.js';
import { Histogram } from '../../shared/metrics/histogram.js';
import { protocolVersion } from '../../shared/model/messages.js';
import type { HelloReply } from '../../shared/model/messages.js';
import { version } from '../../shared/model/version.js';
import type { Access } from '../../shared/wire/access.js';
import { startAgentServer } from '../../shared/wire/agent-server.js';
import type { AgentServer, AgentServerOptions } from '../../shared/wire/agent-server.js';
import { product } from '../../shared/wire/hello-frames.js';
import { race } from '../../shared/wire/race.js';
import { noConsent } from '../core/given-guard.js';
import type { Consent } from '../core/given-guard.js';
import { parseAssignment } from '../core/parse-assignment.js';
import { AgentSession } from '../core/session.js';
import type { SessionInput } from '../core/session-io.js';
import { ControlLoop } from './control-loop.js';
import { CheckpointFetches } from './checkpoint-fetches.js';
import { ControllerLinks } from './controller-links.js';
import { readBootId, readHostFacts } from './host-facts.js';
import { RunnerHost } from './runner-host.js';
import { LoadMetrics } from './metrics/load-metrics.js';
import { serveMetrics } from './metrics/metrics-server.js';
import type { MetricsServer } from './metrics/metrics-server.js';
import { Spool } from './spool/spool.js';
import { defaultSpoolFolders } from './spool/spool-folder.js';

const runnerEntry = fileURLToPath(new URL('../runner/main.js', import.meta.url));

/** Streams that are open when the agent leaves have this long to end. */
const farewellMs = 1_500;
/** … and those that fetch what the agent keeps, this long. */
const lastFetchMs = 10_000;
const never = new AbortController().signal;

export interface ServeOptions {
  readonly listen: AgentServerOptions['listen'];
  readonly access?: Access;
  readonly once: boolean;
  /** Its own name; empty: the host's. */
  readonly id: string;
  /** Absolute. */
  readonly roots: readonly string[];
  /** Left out: none. */
  readonly consent?: Consent;
  readonly env: NodeJS.ProcessEnv;
  /** Where to keep what runs report; undefined: the system's folder for such things, false: nowhere. */
  readonly spool?: string | false | undefined;
  /** Where Prometheus' metrics are shown; undefined: nowhere. */
  readonly metrics?: HttpAddress | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** The workload process's program; a test may put another in its place. */
  readonly runnerEntry?: string;
}

export interface ServingAgent {
  readonly port: number;
  /** As bound, for people. */
  readonly address: string;
  readonly id: string;
  readonly metricsPort: number | undefined;
  /** As a signal would: aborts what runs and leaves. */
  stop(signal: string): void;
  /** Resolves with the exit code once the agent has left. */
  readonly left: Promise<number>;
}

/** Puts the agent together and serves. @throws MusterError when the address cannot be listened on */
export async function serveAgent(options: ServeOptions): Promise<ServingAgent> {
  const { listen, access = {}, once, roots, consent = noConsent, env, clock, log } = options;
  const host = readHostFacts(roots);
  const id = options.id === '' ? host.hostname : options.id;
  const instanceId = randomBytes(8).toString('hex');
  const bootId = readBootId(clock.unixMs());
  const place = spoolPlace(options);
  const session = new AgentSession({
    once,
    keeps: place.folders.length > 0,
    roots,
    consent,
    parseAssignment,
    createHistogram: () => new Histogram(),
  });
  let leave: (code: number) => void = () => undefined;
  const leaving = new Promise<number>((resolve) => {
    leave = resolve;
  });
  const loadMetrics = new LoadMetrics();
  const runners = new RunnerHost({
    entry: options.runnerEntry ?? runnerEntry,
    env,
    log,
    onEvent: (runner, event) => {
      loadMetrics.accept(runner, event);
      loop.feed({ kind: 'runner', runner, event });
    },
    onExit: (runner, exit) => {
      loadMetrics.idle();
      loop.feed({ kind: 'runnerExited', runner, exit });
    },
  });
  runners.removeAbandoned();
  const feed = (input: SessionInput): void => {
    loop.feed(input);
  };
  const spool = await Spool.open({
    ...place,
    ...{ instanceId, clock, log },
    onFailure: (line) => {
      feed({ kind: 'unspooled', line });
    },
  });
  const facts = { instanceId, bootId, version, host: JSON.stringify(host) };
  const fetches = new CheckpointFetches({ session, spool, feed, facts, clock, log });
  const links = new ControllerLinks({ session, feed, spool, fetches, facts, clock, log });
  const gc = new GcTime();
  const loop: ControlLoop = new ControlLoop({
    session,
    clock,
    log,
    links,
    runners,
    exit: leave,
    rssBytes: () => process.memoryUsage.rss(),
    takeGcNs: () => gc.take(),
  });
  const hello = (): HelloReply => ({
    product,
    protocol: protocolVersion,
    version,
    instanceId,
    bootId,
    agentId: id,
    state: session.state,
    owner: session.owner,
    ownerSpeaks: session.ownerSpeaks(clock.nowMs()),
    hostname: host.hostname,
    tokenRequired: access.token !== undefined,
    checkpoints: spool.offers,
  });
  let metrics: MetricsServer | undefined;
  let server: AgentServer;
  try {
    metrics =
      options.metrics &&
      (await serveMetrics(options.metrics, () => {
        const { state } = session;
        const residentBytes = process.memoryUsage.rss();
        return loadMetrics.text({ id, version, hostname: host.hostname, state, residentBytes });
      }));
    server = await startAgentServer({
      listen,
      access,
      clock,
      log,
      hello,
      session: (incoming) => void links.incoming(incoming),
    });
  } catch (thrown) {
    metrics?.close();
    await spool.discard();
    throw thrown;
  }
  const left = leaving.then(async (code) => {
    metrics?.close();
    loop.stop();
    runners.abandonAll();
    await race(Promise.all([fetches.settled(), runners.removed()]), {
      clock,
      timeoutMs: lastFetchMs,
      signal: never,
    });
    await server.close(farewellMs);
    await spool.close();
    return code;
  });
  return {
    port: server.port,
    address: server.address,
    id,
    metricsPort: metrics?.port,
    stop: (signal) => {
      loop.feed({ kind: 'operatorStop', signal });
    },
    left,
  };
}

function spoolPlace({ spool, env, listen }: ServeOptions) {
  const uid = process.getuid?.() ?? 0;
  if (spool === false) return { folders: [], uid };
  if (spool !== undefined) return { folders: [path.resolve(spool)], uid };
  // One folder per address: agents of one host never share one, and a restarted agent finds its own. Whoever listens on
  // any free port is not found again after a restart, and needs none.
  if (listen.port === 0) return { folders: [], uid };
  const place = listen.host === undefined ? '' : `${listen.host.replace(/[^\w.-]/g, '_')}-`;
  return { folders: defaultSpoolFolders(env, uid, `agent-${place}${String(listen.port)}`), uid };
}
