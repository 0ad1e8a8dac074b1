import type { Log } from '../../shared/kernel/log.js';
import { mergeEncoded } from '../../shared/metrics/histogram.js';
import type { AgentMessage, ControllerMessage } from '../../shared/model/messages.js';
import { decodePayload } from '../../shared/wire/codec.js';
import { DecodeError } from '../../shared/wire/decode-error.js';
import { dialAgent, type DialledAgent, type DialOptions } from '../../shared/wire/dial-agent.js';
import { DialError } from '../../shared/wire/dial-error.js';
import { Duplex } from '../../shared/wire/duplex.js';
import { LinkEndpoint, type LinkEvent } from '../../shared/wire/link-endpoint.js';

/** An agent that says nothing for this long in a fetch is given up; it may have to end its run first. */
const silenceMs = 15_000;

export interface FetchRequest {
  readonly dial: DialOptions;
  readonly runId: string;
  readonly secret: string;
  readonly identity: string;
  /** Of the agent process that worked for the run. */
  readonly instanceId: string;
  /** The run is to be ended first, should the agent still work for it, for this reason. */
  readonly abort?: string;
  readonly log: Log;
  /** What the agent kept, message by message, in its order. */
  readonly accept: (message: AgentMessage) => void;
  /** Calls `safe` when all that was accepted is in the journal: only then may the agent forget it. */
  readonly whenSafe: (safe: () => void) => void;
}

export type FetchOutcome =
  /** `damaged`: pieces that could not be read. `isWhole`: the agent's last words are among what it kept. */
  | { readonly kind: 'fetched'; readonly damaged: number; readonly isWhole: boolean }
  /** The agent answers, and has nothing of this run. */
  | { readonly kind: 'nothing'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** Gets what an agent keeps of a run, and lets it forget that. Never rejects but for a bug. */
export async function fetchCheckpoint(
  request: FetchRequest,
  signal: AbortSignal,
): Promise<FetchOutcome> {
  const { dial, runId, secret, identity, instanceId } = request;
  try {
    const open = { runId, secret, identity, generation: 1, steal: false, held: [], received: 0n };
    const dialled = await dialAgent(dial, { ...open, fetch: instanceId }, signal);
    const outcome = await new Fetching(request, signal).through(dialled);
    dialled.hangUp();
    return outcome;
  } catch (thrown) {
    if (!(thrown instanceof DialError)) throw thrown;
    return { kind: thrown.code === 'secret' ? 'nothing' : 'failed', reason: thrown.reason };
  }
}

class Fetching {
  readonly #request: FetchRequest;
  readonly #signal: AbortSignal;
  readonly #endpoint: LinkEndpoint<ControllerMessage, AgentMessage>;
  #duplex: Duplex<ControllerMessage, AgentMessage> | undefined;
  #outcome: FetchOutcome | undefined;
  #damaged = 0;
  #isWhole = false;
  #cancelSilence: () => void = () => undefined;

  constructor(request: FetchRequest, signal: AbortSignal) {
    this.#request = request;
    this.#signal = signal;
    this.#endpoint = new LinkEndpoint({
      side: 'controller',
      session: request.runId,
      mergeHistograms: mergeEncoded,
      confirms: true,
    });
  }

  through({ stream, signer }: DialledAgent): Promise<FetchOutcome> {
    const { dial, log, abort, whenSafe } = this.#request;
    return new Promise((resolve) => {
      const cancel = (): void => this.#duplex?.cancel('cancelled');
      const duplex = new Duplex<ControllerMessage, AgentMessage>({
        ...{ stream, signer, endpoint: this.#endpoint, generation: 1, peerReceived: 0n },
        ...{ clock: dial.clock, log, whenSafe },
        onEvent: (event) => {
          this.#heard(event);
        },
        onSettled: () => {
          // The agent has our `fetched`.
          if (this.#outcome) duplex.close('fetched');
        },
        onEnd: ({ reason }) => {
          this.#cancelSilence();
          this.#signal.removeEventListener('abort', cancel);
          resolve(this.#outcome ?? { kind: 'failed', reason });
        },
      });
      this.#duplex = duplex;
      this.#signal.addEventListener('abort', cancel);
      this.#watchSilence();
      duplex.send({ kind: 'fetch', abort: abort !== undefined, reason: abort ?? '' });
    });
  }

  #heard(event: LinkEvent<AgentMessage>): void {
    this.#watchSilence();
    if (event.kind !== 'message' || event.message.kind !== 'checkpoint') return;
    const { payloads, last, damaged } = event.message;
    for (const payload of payloads) this.#accept(payload);
    this.#damaged += damaged;
    if (!last) return;
    this.#request.whenSafe(() => {
      this.#outcome = { kind: 'fetched', damaged: this.#damaged, isWhole: this.#isWhole };
      this.#duplex?.send({ kind: 'fetched' });
      this.#duplex?.send({ kind: 'goodbye', reason: 'fetched' });
    });
  }

  #accept(payload: Uint8Array): void {
    let message;
    try {
      message = decodePayload(payload);
    } catch (thrown) {
      if (!(thrown instanceof DecodeError)) throw thrown;
      this.#damaged += 1;
      return;
    }
    if (message.kind === 'final') this.#isWhole = true;
    // Other kinds than an agent's are ignored by whoever reads what is news.
    this.#request.accept(message as AgentMessage);
  }

  #watchSilence(): void {
    this.#cancelSilence();
    this.#cancelSilence = this.#request.dial.clock.after(silenceMs, () => {
      this.#duplex?.cancel(`nothing came for ${String(silenceMs / 1000)}s`);
    });
  }
}
