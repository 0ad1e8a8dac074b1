/** A real agent server and real controllers on 127.0.0.1, without any agent or controller logic. */
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import type {
  AgentMessage,
  ControllerMessage,
  HelloReply,
} from '../../src/shared/model/messages.js';
import { protocolVersion } from '../../src/shared/model/messages.js';
import type { IncomingSession } from '../../src/shared/wire/accept-session.js';
import type { Access } from '../../src/shared/wire/access.js';
import { startAgentServer } from '../../src/shared/wire/agent-server.js';
import type { AgentServer } from '../../src/shared/wire/agent-server.js';
import { dialAgent } from '../../src/shared/wire/dial-agent.js';
import type { DialledAgent, OpenRequest } from '../../src/shared/wire/dial-agent.js';
import { Duplex } from '../../src/shared/wire/duplex.js';
import type { StreamEnd } from '../../src/shared/wire/duplex.js';
import { agentEndpoint, controllerEndpoint } from '../../src/shared/wire/link-endpoint.js';
import type { LinkEndpoint, LinkEvent } from '../../src/shared/wire/link-endpoint.js';
import { EventLog } from './event-log.js';
import { concatenate } from './lossy-pipe.js';

export const helloReply: HelloReply = {
  product: 'muster',
  protocol: protocolVersion,
  version: '0.0.0-test',
  instanceId: 'instance-1',
  bootId: 'boot-1',
  agentId: 'agent-1',
  state: 'IDLE',
  owner: undefined,
  hostname: 'host-1',
  ownerSpeaks: false,
  tokenRequired: false,
  checkpoints: [],
};

export const openRequest: OpenRequest = {
  runId: 'run-1',
  secret: 'secret',
  identity: 'test@here',
  generation: 1,
  steal: false,
  held: [],
  received: 0n,
};

type Happening<In extends AgentMessage | ControllerMessage> =
  LinkEvent<In> | { readonly kind: 'end'; readonly end: StreamEnd };

/** One end of a session: what happened on it, and the duplex to send with. */
export interface End<
  Out extends AgentMessage | ControllerMessage,
  In extends AgentMessage | ControllerMessage,
> {
  readonly events: EventLog<Happening<In>>;
  readonly endpoint: LinkEndpoint<Out, In>;
  readonly duplex: Duplex<Out, In>;
  readonly lines: string[];
}

export type AgentEnd = End<AgentMessage, ControllerMessage>;
export type ControllerEnd = End<ControllerMessage, AgentMessage> & {
  readonly dialled: DialledAgent;
};

export interface WireAgent {
  readonly server: AgentServer;
  /** Sessions whose handshake is done. */
  readonly sessions: EventLog<AgentEnd>;
  readonly lines: string[];
}

export async function startWireAgent(
  answer?: (incoming: IncomingSession) => 'accept' | 'handled',
  access: Access = {},
): Promise<WireAgent> {
  const sessions = new EventLog<AgentEnd>();
  const lines: string[] = [];
  const endpoints = new Map<string, LinkEndpoint<AgentMessage, ControllerMessage>>();
  const accept = async (incoming: IncomingSession): Promise<void> => {
    const { runId, generation, received, held, intervalsPerFrame, takesBeside } = incoming.open;
    const known = endpoints.get(runId);
    const endpoint = known ?? agentEndpoint({ session: runId, mergeHistograms: concatenate });
    endpoints.set(runId, endpoint);
    const { instanceId, bootId, version, state } = helloReply;
    const accepted = await incoming.accept({
      ...{ instanceId, bootId, version, state, host: '{}' },
      resumed: known !== undefined,
      received: endpoint.received,
    });
    if (!accepted) return;
    const events = new EventLog<Happening<ControllerMessage>>();
    const duplex = new Duplex({
      ...{
        ...accepted,
        endpoint,
        generation,
        held,
        intervalsPerFrame,
        takesBeside,
        peerReceived: received,
        clock: systemClock,
      },
      log: (level, line) => lines.push(`${level} ${line}`),
      onEvent: (event) => events.add(event),
      onEnd: (end) => events.add({ kind: 'end', end }),
    });
    sessions.add({ events, endpoint, duplex, lines });
  };
  const server = await startAgentServer({
    listen: { host: '127.0.0.1', port: 0 },
    access,
    clock: systemClock,
    log: (level, line) => lines.push(`${level} ${line}`),
    hello: () => helloReply,
    session: (incoming) => {
      if (answer?.(incoming) !== 'handled') void accept(incoming);
    },
  });
  return { server, sessions, lines };
}

export async function dialWire(
  port: number,
  request: Partial<OpenRequest> = {},
  endpoint = controllerEndpoint({ session: 'run-1', mergeHistograms: concatenate }),
  access: Access = {},
): Promise<ControllerEnd> {
  const open = { ...openRequest, received: endpoint.received, held: endpoint.held(), ...request };
  const dialled = await dialAgent(
    {
      address: { host: '127.0.0.1', port },
      connectMs: 30_000,
      helloMs: 30_000,
      clock: systemClock,
      access,
    },
    open,
    new AbortController().signal,
  );
  const events = new EventLog<Happening<AgentMessage>>();
  const lines: string[] = [];
  const duplex = new Duplex({
    stream: dialled.stream,
    signer: dialled.signer,
    endpoint,
    generation: open.generation,
    peerReceived: dialled.welcome.received,
    clock: systemClock,
    log: (level, line) => lines.push(`${level} ${line}`),
    onEvent: (event) => events.add(event),
    onEnd: (end) => events.add({ kind: 'end', end }),
  });
  return { events, endpoint, duplex, lines, dialled };
}
