import type { Clock } from '../../shared/kernel/clock.js';
import type { Log } from '../../shared/kernel/log.js';
import { mergeEncoded } from '../../shared/metrics/histogram.js';
import type { AgentMessage, ControllerMessage, HeldRange } from '../../shared/model/messages.js';
import type { AgentPlan, Plan } from '../../shared/model/plan.js';
import type { Access } from '../../shared/wire/access.js';
import { parseAgentAddresses, type Address } from '../../shared/wire/address.js';
import { greetAgent } from '../../shared/wire/dial-agent.js';
import type { DialOptions } from '../../shared/wire/dial-agent.js';
import { DialError } from '../../shared/wire/dial-error.js';
import { Duplex } from '../../shared/wire/duplex.js';
import { LinkEndpoint, type LinkEvent } from '../../shared/wire/link-endpoint.js';
import type { LinkMetrics } from '../../shared/model/link-metrics.js';
import { LeaseTurns } from '../core/lease-turns.js';
import type { DialFailure, RunInput } from '../core/run-io.js';
import type { FetchOutcome } from './fetch-checkpoint.js';
import { FetchUnderWay } from './fetch-under-way.js';
import { reachAgent } from './reach-agent.js';

export interface GrpcLinkOptions {
  readonly plan: Plan;
  readonly runId: string;
  /** user@host of this controller. */
  readonly identity: string;
  /** Proves the ownership of the run on a resume. */
  readonly secret: string;
  readonly steal: boolean;
  readonly access: Access;
  readonly clock: Clock;
  readonly feed: (input: RunInput) => void;
  readonly notice: Log;
  /** What may be done about an agent that was not reached. */
  readonly hint?: (text: string) => void;
  /** Something was thrown that cannot be: ends the run with exit code 70. */
  readonly onBug: (bug: unknown) => void;
  /** Calls `safe` when what was fed so far is in the journal: only then is it acknowledged. Absent: there is none. */
  readonly whenSafe?: (safe: () => void) => void;
  /** The journal takes no more: who is let go is to keep what it reported. */
  readonly mustKeep?: () => boolean;
  /** What an agent that was restarted had kept of the run, message by message. Absent: it is not asked for. */
  readonly kept?: (agent: number, message: AgentMessage) => void;
  /** After the last of them. */
  readonly fetched?: (agent: number, outcome: FetchOutcome) => void;
}

type Endpoint = LinkEndpoint<ControllerMessage, AgentMessage>;

interface Stream {
  readonly generation: number;
  readonly duplex: Duplex<ControllerMessage, AgentMessage>;
}

/** The link to one agent over all its streams. */
export class GrpcLink {
  readonly #agent: AgentPlan;
  readonly #options: GrpcLinkOptions;
  readonly #endpoint: Endpoint;
  readonly #dial: DialOptions;
  readonly #leases: LeaseTurns;
  /** For those who speak of a link and do not know whose. */
  readonly #log: Log;
  #dialling: { generation: number; abort: AbortController } | undefined;
  #stream: Stream | undefined;
  #closed: (() => void) | undefined;
  #fetch: FetchUnderWay | undefined;

  constructor(agent: AgentPlan, options: GrpcLinkOptions) {
    this.#agent = agent;
    this.#options = options;
    this.#log = (level, line) => {
      options.notice(level, `Agent ${agent.id}: ${line}`);
    };
    const { connectMs, helloMs, leaseMs } = options.plan.timeouts;
    this.#leases = new LeaseTurns(leaseMs);
    const { clock, access } = options;
    this.#dial = { address: addressOf(agent), connectMs, helloMs, clock, access };
    this.#endpoint = new LinkEndpoint({
      side: 'controller',
      session: options.runId,
      mergeHistograms: mergeEncoded,
      confirms: options.whenSafe !== undefined,
      besidesAck: (nowMs) => this.#leases.besidesAck(nowMs),
    });
  }

  async dial(generation: number, held: readonly HeldRange[]): Promise<void> {
    const abort = new AbortController();
    const dialling = { generation, abort };
    this.#dialling = dialling;
    const { runId, secret, identity, steal, whenSafe } = this.#options;
    const received = this.#endpoint.received;
    const agent = this.#agent.index;
    try {
      const request = { runId, secret, identity, generation, steal, held, received };
      const { hello, welcome, stream, signer, hangUp } = await reachAgent(
        this.#dial,
        request,
        abort.signal,
      );
      if (abort.signal.aborted) {
        stream.cancel();
        hangUp();
        return;
      }
      const duplex = new Duplex<ControllerMessage, AgentMessage>({
        stream,
        signer,
        endpoint: this.#endpoint,
        generation,
        peerReceived: welcome.received,
        held,
        ...(whenSafe && { whenSafe }),
        mustKeep: this.#options.mustKeep,
        clock: this.#options.clock,
        log: this.#log,
        onEvent: (event) => {
          this.#heard(generation, event);
        },
        onEnd: ({ reason }) => {
          hangUp();
          this.#over(generation, reason);
        },
      });
      this.#stream = { generation, duplex };
      // after the stream is there, so that the machine can answer at once; frames come on a later turn of the loop
      this.#options.feed({ kind: 'dialed', agent, generation, hello, welcome });
    } catch (thrown) {
      if (!(thrown instanceof DialError)) throw thrown;
      if (abort.signal.aborted) return;
      const failure = { agent, generation, code: failureOf(thrown), message: thrown.reason };
      const { connected, instanceId } = thrown;
      const more = { connected, ...(instanceId && { instanceId }) };
      this.#options.feed({ kind: 'dialFailed', ...failure, ...more });
      if (generation === 1 && thrown.hint !== undefined) this.#options.hint?.(thrown.hint);
    } finally {
      if (this.#dialling === dialling) this.#dialling = undefined;
    }
  }

  async helloProbe(): Promise<void> {
    const agent = this.#agent.index;
    try {
      const hello = await greetAgent(this.#dial, new AbortController().signal);
      this.#options.feed({ kind: 'helloResult', agent, hello });
    } catch (thrown) {
      if (!(thrown instanceof DialError)) throw thrown;
      this.#log('debug', `Hello failed: ${thrown.reason}`);
      this.#options.feed({ kind: 'helloResult', agent, hello: undefined });
    }
  }

  async fetch(instanceId: string): Promise<void> {
    const { runId, secret, identity, clock, whenSafe, kept, fetched } = this.#options;
    const log = this.#log;
    if (!whenSafe || !kept) return;
    const agent = this.#agent.index;
    const request = {
      ...{ dial: this.#dial, runId, secret, identity, instanceId, log, whenSafe },
      accept: (message: AgentMessage) => {
        kept(agent, message);
      },
    };
    this.#fetch = new FetchUnderWay(request, clock, (outcome) => fetched?.(agent, outcome));
    await this.#fetch.done;
  }

  send(message: ControllerMessage): void {
    const { clock } = this.#options;
    const { owesAck } = this.#endpoint;
    if (message.kind === 'lease' && !this.#leases.inTurn(message, clock.nowMs(), owesAck)) return;
    // between streams the endpoint keeps what is reliable and counts the rest as given up
    if (this.#stream) this.#stream.duplex.send(message);
    else this.#endpoint.send(message);
  }

  metrics(): LinkMetrics {
    return this.#endpoint.metrics();
  }

  hangUp(generation: number, reason: string): void {
    if (this.#dialling?.generation === generation) this.#dialling.abort.abort();
    const stream = this.#stream;
    if (stream?.generation !== generation) return;
    stream.duplex.close(reason);
  }

  /** Resolves when no stream is left; a fetch has `fetchMs`, or as long as it takes. */
  async close(fetchMs?: number): Promise<void> {
    this.#dialling?.abort.abort();
    await this.#fetch?.over(fetchMs);
    if (!this.#stream) return;
    this.#stream.duplex.close('the run is over');
    await new Promise<void>((resolve) => {
      this.#closed = resolve;
    });
  }

  /** The agent has acknowledged all that it was told. */
  get isHeard(): boolean {
    return this.#endpoint.settled;
  }

  /** Gives the agent to whoever comes next; its results stay with it for `recover`. */
  async leave(reason: string): Promise<void> {
    this.#fetch?.cut();
    this.#stream?.duplex.send({ kind: 'goodbye', reason });
    await this.close();
  }

  /** Ends everything at once, whatever was still to be sent. */
  cut(): void {
    this.#dialling?.abort.abort();
    this.#fetch?.cut();
    this.#stream?.duplex.cancel('the controller ends at once');
  }

  #heard(generation: number, event: LinkEvent<AgentMessage>): void {
    const { feed, clock, notice } = this.#options;
    const agent = this.#agent.index;
    switch (event.kind) {
      case 'message': {
        const receivedNs = clock.nowNs();
        feed({ kind: 'message', agent, generation, message: event.message, receivedNs });
        return;
      }
      case 'invalid': {
        const { sequence, reason } = event;
        feed({ kind: 'invalid', agent, generation, sequence, reason });
        return;
      }
      case 'gap':
      case 'unknownKind':
      case 'tooManyInvalid':
        this.#log('warn', describe(event));
        return;
      case 'adapted':
        notice('debug', `Link to agent ${this.#agent.id}: ${event.line}`);
        return;
      default:
        event satisfies never;
    }
  }

  #over(generation: number, reason: string): void {
    // an older stream may end after a newer one has taken its place
    if (this.#stream?.generation === generation) this.#stream = undefined;
    if (!this.#stream) this.#closed?.();
    this.#options.feed({ kind: 'linkLost', agent: this.#agent.index, generation, reason });
  }
}

export function addressOf(agent: AgentPlan): Address {
  const [address] = parseAgentAddresses(agent.address);
  if (!address) throw new RangeError(`"${agent.address}" names no agent`);
  return address;
}

function failureOf({ code }: DialError): DialFailure {
  switch (code) {
    case 'silent':
    case 'cancelled':
      return 'timeout';
    case 'stranger':
      return 'notMuster';
    default:
      return code;
  }
}

function describe(event: Exclude<LinkEvent, { kind: 'message' | 'invalid' | 'adapted' }>): string {
  switch (event.kind) {
    case 'gap':
      return `frames ${event.expected} to ${event.received - 1n} did not arrive (asking again for what matters)`;
    case 'unknownKind':
      return `ignoring a message of unknown kind ${event.field} (sequence ${event.sequence}): a newer agent?`;
    case 'tooManyInvalid':
      return `${event.count} invalid messages in a row, opening a new stream`;
  }
}
