import type { Clock } from '../../shared/kernel/clock.js';
import type { Log } from '../../shared/kernel/log.js';
import { mergeEncoded } from '../../shared/metrics/histogram.js';
import { linkReport } from '../../shared/model/link-metrics.js';
import { deliveryOf } from '../../shared/model/messages.js';
import type { AgentMessage, ControllerMessage } from '../../shared/model/messages.js';
import type {
  AcceptedStream,
  IncomingSession,
  WelcomeReply,
} from '../../shared/wire/accept-session.js';
import { Duplex } from '../../shared/wire/duplex.js';
import type { StreamEnd } from '../../shared/wire/duplex.js';
import { endedByController } from '../../shared/wire/frame-stream.js';
import { agentEndpoint } from '../../shared/wire/link-endpoint.js';
import type { LinkEndpoint, LinkEvent } from '../../shared/wire/link-endpoint.js';
import type { AgentSession } from '../core/session.js';
import type { CheckpointFetches } from './checkpoint-fetches.js';
import type { Spool } from './spool/spool.js';
import type { Open, SessionEffect, SessionInput } from '../core/session-io.js';

type Effect<K extends SessionEffect['kind']> = Extract<SessionEffect, { readonly kind: K }>;

export interface LinksOptions {
  readonly session: AgentSession;
  readonly feed: (input: SessionInput) => void;
  readonly spool: Pick<Spool, 'begin' | 'add' | 'checkpoint' | 'end' | 'metrics'>;
  /** Takes a stream that is no session but a fetch. */
  readonly fetches: Pick<CheckpointFetches, 'incoming' | 'released'>;
  /** What Welcome says of this agent whatever the run. */
  readonly facts: Pick<WelcomeReply, 'instanceId' | 'bootId' | 'version' | 'host'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The link of the run that owns the agent; it outlives its streams. */
interface RunLink {
  readonly endpoint: LinkEndpoint<AgentMessage, ControllerMessage>;
  duplex: Duplex<AgentMessage, ControllerMessage> | undefined;
  /** Something reliable was sent that the controller has not acknowledged. */
  owes: boolean;
}

/** Controllers' streams: brings them in through the handshake, and carries the session's messages. */
export class ControllerLinks {
  readonly #options: LinksOptions;
  readonly #admitted = new Map<number, AcceptedStream & { readonly open: Open }>();
  readonly #duplexes = new Map<number, Duplex<AgentMessage, ControllerMessage>>();
  #streams = 0;
  #link: RunLink | undefined;

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /**
   * A controller's Open has come. Nothing changes before its Confirm is there; should the agent have changed hands
   * meanwhile, or be stopped, the stream is ended and the controller dials again.
   */
  async incoming(incoming: IncomingSession): Promise<void> {
    const { session, facts, log, feed, fetches, clock } = this.#options;
    const { open, peer } = incoming;
    if (open.fetch) {
      await fetches.incoming(incoming, open.fetch);
      return;
    }
    const verdict = session.verdict(open, clock.nowMs());
    if (verdict.kind === 'refuse') {
      const { code, message, owner } = verdict;
      incoming.refuse({ code, message, owner });
      return;
    }
    const link = verdict.kind === 'resume' ? this.#link : undefined;
    const accepted = await incoming.accept({
      ...facts,
      state: link ? session.state : 'IDLE',
      resumed: link !== undefined,
      received: link?.endpoint.received ?? 0n,
    });
    if (!accepted) return;
    const now = session.verdict(open, clock.nowMs());
    if (now.kind === 'refuse' || (now.kind === 'resume') !== (link !== undefined)) {
      const isStopping = now.kind === 'refuse' && now.code === 'stopping';
      const why = isStopping ? now.message : 'the agent has changed hands';
      log('warn', `Ended a stream of ${open.identity} (${peer}): ${why}`);
      accepted.stream.onFrame(() => undefined);
      accepted.stream.end();
      return;
    }
    const stream = ++this.#streams;
    this.#admitted.set(stream, { ...accepted, open });
    feed({ kind: 'opened', stream, open });
  }

  accept({ stream, resumed }: Effect<'accept'>): void {
    const admitted = this.#take(stream);
    if (!admitted) return;
    const { stream: frames, signer, open } = admitted;
    const link = (resumed ? this.#link : undefined) ?? newLink(open.runId);
    if (!resumed) this.#options.spool.begin(open);
    this.#link = link;
    const life = { ended: false };
    const duplex = new Duplex({
      stream: frames,
      signer,
      endpoint: link.endpoint,
      generation: open.generation,
      peerReceived: resumed ? open.received : 0n,
      held: resumed ? open.held : [],
      intervalsPerFrame: open.intervalsPerFrame,
      takesBeside: open.takesBeside,
      clock: this.#options.clock,
      log: this.#options.log,
      onEvent: (event) => {
        this.#heard(stream, event);
      },
      onSettled: () => {
        this.#settled(link);
      },
      onEnd: (end) => {
        life.ended = true;
        this.#ended(stream, end);
      },
    });
    // The stream may have been over before it began.
    if (life.ended) return;
    link.duplex = duplex;
    this.#duplexes.set(stream, duplex);
  }

  /** Only reached when the agent changed hands after its own Welcome; the stream just ends. */
  refuse({ stream }: Effect<'refuse'>): void {
    this.#take(stream)?.stream.end();
  }

  send({ message }: Effect<'send'>): void {
    const link = this.#link;
    if (!link) return;
    this.#options.spool.add(message);
    if (deliveryOf[message.kind].reliable) link.owes = true;
    if (link.duplex && message.kind !== 'interval') link.duplex.send(message);
    else link.endpoint.send(message);
  }

  /** Intervals wait for this, or for another message: the heartbeat that follows one rides with it. */
  flush(): void {
    this.#link?.duplex?.flush();
  }

  reportLink(): void {
    if (!this.#link) return;
    const report = linkReport(this.#link.endpoint.metrics(), this.#options.spool.metrics);
    this.send({ kind: 'send', message: { kind: 'linkReport', ...report } });
  }

  closeStream({ stream, goodbye, reason }: Effect<'closeStream'>): void {
    const duplex = this.#duplexes.get(stream);
    if (goodbye) duplex?.send({ kind: 'goodbye', reason });
    duplex?.close(reason);
  }

  released({ runId, delivered }: Effect<'released'>): void {
    this.#link = undefined;
    void this.#options.spool.end(delivered);
    this.#options.fetches.released(runId);
  }

  #take(stream: number) {
    const admitted = this.#admitted.get(stream);
    this.#admitted.delete(stream);
    return admitted;
  }

  #heard(stream: number, event: LinkEvent<ControllerMessage>): void {
    const { feed, clock, log } = this.#options;
    switch (event.kind) {
      case 'message':
        feed({ kind: 'message', stream, message: event.message, receivedNs: clock.nowNs() });
        return;
      case 'invalid': {
        const { sequence, reason } = event;
        log('warn', `Ignoring invalid message (sequence ${sequence}): ${reason}`);
        return;
      }
      case 'gap':
        log('debug', `Frames ${event.expected} to ${event.received - 1n} are missing`);
        return;
      case 'unknownKind':
        log('warn', `Ignoring a message of unknown kind ${event.field}`);
        return;
      case 'tooManyInvalid':
        log('warn', `${event.count} invalid messages in a row: ending this stream`);
        return;
      case 'adapted':
        feed({ kind: 'linkAdapted', line: event.line });
        return;
      default:
        event satisfies never;
    }
  }

  #settled(link: RunLink): void {
    if (!link.owes || link !== this.#link) return;
    link.owes = false;
    this.#options.feed({ kind: 'flushed' });
  }

  #ended(stream: number, { reason }: StreamEnd): void {
    const duplex = this.#duplexes.get(stream);
    this.#duplexes.delete(stream);
    if (this.#link && this.#link.duplex === duplex) {
      this.#link.duplex = undefined;
      this.#options.spool.checkpoint();
    }
    const line =
      reason === endedByController ? 'Stream closed by controller' : `Stream error: ${reason}`;
    this.#options.feed({ kind: 'detached', stream, reason: line });
  }
}

function newLink(runId: string): RunLink {
  const endpoint = agentEndpoint({ session: runId, mergeHistograms: mergeEncoded });
  return { endpoint, duplex: undefined, owes: false };
}
