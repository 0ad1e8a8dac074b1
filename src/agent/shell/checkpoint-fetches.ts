import type { Clock } from '../../shared/kernel/clock.js';
import { reasonOf } from '../../shared/kernel/errors.js';
import type { Log } from '../../shared/kernel/log.js';
import { mergeEncoded } from '../../shared/metrics/histogram.js';
import type { AgentMessage, ControllerMessage } from '../../shared/model/messages.js';
import type {
  AcceptedStream,
  IncomingSession,
  WelcomeReply,
} from '../../shared/wire/accept-session.js';
import { Duplex } from '../../shared/wire/duplex.js';
import { agentEndpoint } from '../../shared/wire/link-endpoint.js';
import type { LinkEvent } from '../../shared/wire/link-endpoint.js';
import type { AgentSession } from '../core/session.js';
import type { SessionInput } from '../core/session-io.js';
import type { Spool, SpoolKey } from './spool/spool.js';

/** More at a time is no recovery. */
const mostAtOnce = 4;
/** A fetch on which nothing moves for this long is over. */
const patienceMs = 60_000;

export interface FetchesOptions {
  readonly session: AgentSession;
  readonly spool: Pick<Spool, 'find' | 'read' | 'forget'>;
  readonly feed: (input: SessionInput) => void;
  readonly facts: Omit<WelcomeReply, 'state' | 'resumed' | 'received'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Streams that ask for what the agent keeps of a run: they own nothing, and come in whatever the agent does. */
export class CheckpointFetches {
  readonly #options: FetchesOptions;
  readonly #running = new Set<Fetch>();

  constructor(options: FetchesOptions) {
    this.#options = options;
  }

  /** An Open with `fetch` has come: the secret of the run is what it must know. */
  async incoming(incoming: IncomingSession, instanceId: string): Promise<void> {
    const { session, spool, facts } = this.#options;
    const { open } = incoming;
    const key = { runId: open.runId, secret: open.secret, instanceId };
    const refuse = (code: 'busy' | 'secret', message: string): void => {
      incoming.refuse({ code, message, owner: undefined });
    };
    // Without a spool the run can still be ended.
    if (!spool.find(key) && !session.knows(open.runId, open.secret)) {
      refuse('secret', `there is no checkpoint of run ${open.runId} for that secret`);
      return;
    }
    if (this.#running.size >= mostAtOnce) {
      refuse('busy', `busy: ${String(mostAtOnce)} checkpoints are being fetched already`);
      return;
    }
    const fetch = new Fetch(key, this.#options);
    this.#running.add(fetch);
    const state = session.owner?.runId === open.runId ? session.state : 'IDLE';
    const frames = await incoming.accept({ ...facts, state, resumed: false, received: 0n });
    if (frames) await fetch.serve(frames, open.generation);
    this.#running.delete(fetch);
  }

  /** A run has left the agent. */
  released(runId: string): void {
    for (const fetch of this.#running) fetch.released(runId);
  }

  /** Resolves when no fetch is under way, but not before it has had its time. */
  async settled(): Promise<void> {
    await Promise.all([...this.#running].map((fetch) => fetch.ended));
  }
}

class Fetch {
  readonly ended: Promise<void>;
  readonly #key: SpoolKey;
  readonly #options: FetchesOptions;
  #duplex: Duplex<AgentMessage, ControllerMessage> | undefined;
  #end: () => void = () => undefined;
  #over = false;
  /** Continues what waits for the peer's acknowledgement, or for the run's end. */
  #settled: (() => void) | undefined;
  #released: (() => void) | undefined;
  #cancelPatience: () => void = () => undefined;

  constructor(key: SpoolKey, options: FetchesOptions) {
    this.#key = key;
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async serve(frames: AcceptedStream, generation: number): Promise<void> {
    const { clock, log } = this.#options;
    const endpoint = agentEndpoint({ session: this.#key.runId, mergeHistograms: mergeEncoded });
    this.#duplex = new Duplex({
      ...{ ...frames, endpoint, generation, peerReceived: 0n, clock, log },
      onEvent: (event) => {
        this.#heard(event);
      },
      onSettled: () => {
        this.#settled?.();
      },
      onEnd: () => {
        this.#finish();
      },
    });
    this.#bePatient();
    await this.ended;
  }

  released(runId: string): void {
    if (runId === this.#key.runId) this.#released?.();
  }

  #heard(event: LinkEvent<ControllerMessage>): void {
    if (event.kind !== 'message') return;
    this.#bePatient();
    const { message } = event;
    switch (message.kind) {
      case 'fetch':
        void this.#send(message.abort, message.reason);
        return;
      case 'fetched':
        this.#options.log('info', `The checkpoint of run ${this.#key.runId} was fetched`);
        void this.#options.spool.forget(this.#key);
        return;
      case 'ping':
        this.#duplex?.send({ kind: 'pong', id: message.id });
        return;
      case 'goodbye':
        this.#duplex?.close('fetched');
        return;
      default:
        this.#options.log('warn', `Ignoring ${message.kind.toUpperCase()} in a fetch`);
    }
  }

  async #send(abort: boolean, reason: string): Promise<void> {
    const { spool, log } = this.#options;
    const { runId } = this.#key;
    if (abort) await this.#abort(reason);
    let damaged = 0;
    try {
      for await (const batch of spool.read(this.#key)) {
        damaged += batch.damaged;
        if (batch.payloads.length === 0) continue;
        await this.#deliver({
          kind: 'checkpoint',
          payloads: batch.payloads,
          last: false,
          damaged: 0,
        });
        if (this.#over) return;
      }
    } catch (thrown) {
      damaged += 1;
      log('warn', `The checkpoint of run ${runId} cannot be read: ${reasonOf(thrown)}`);
    }
    await this.#deliver({ kind: 'checkpoint', payloads: [], last: true, damaged });
  }

  /** Ends the run when it still has the agent, and waits for its last words. */
  async #abort(reason: string): Promise<void> {
    const { session, feed } = this.#options;
    const { runId } = this.#key;
    if (session.owner?.runId !== runId) return;
    const released = new Promise<void>((resolve) => {
      this.#released = resolve;
    });
    feed({ kind: 'recovered', runId, reason });
    await released;
  }

  /** Resolves when the peer has it, or is gone. */
  async #deliver(message: AgentMessage): Promise<void> {
    const settled = new Promise<void>((resolve) => {
      this.#settled = resolve;
    });
    this.#duplex?.send(message);
    await Promise.race([settled, this.ended]);
    this.#settled = undefined;
  }

  #bePatient(): void {
    this.#cancelPatience();
    this.#cancelPatience = this.#options.clock.after(patienceMs, () => {
      this.#duplex?.cancel('nothing moved for a minute');
    });
  }

  #finish(): void {
    this.#over = true;
    this.#cancelPatience();
    this.#end();
  }
}
