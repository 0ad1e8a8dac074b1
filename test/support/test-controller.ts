import { mergeEncoded } from '../../src/shared/metrics/histogram.js';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import type { Assignment } from '../../src/shared/model/assignment.js';
import type { AgentMessage, ControllerMessage } from '../../src/shared/model/messages.js';
import { dialAgent } from '../../src/shared/wire/dial-agent.js';
import type { DialledAgent, OpenRequest } from '../../src/shared/wire/dial-agent.js';
import { Duplex } from '../../src/shared/wire/duplex.js';
import { controllerEndpoint } from '../../src/shared/wire/link-endpoint.js';
import { openOf, runId } from './agent-driver.js';

type Kind<K> = Extract<AgentMessage, { readonly kind: K }>;

const patienceMs = 60_000;

/** What may still come from an agent that has failed. */
const afterFailure: ReadonlySet<string> = new Set(['error', 'final', 'goodbye', 'stageResult']);

/** A controller's side of one session by hand, over a real stream: says what it is told to, keeps what it hears. */
export class TestController {
  readonly heard: AgentMessage[] = [];
  readonly #endpoint;
  readonly #port: number;
  readonly #request: OpenRequest;
  #dialled: DialledAgent | undefined;
  #duplex: Duplex<ControllerMessage, AgentMessage> | undefined;
  #wake: () => void = () => undefined;
  #generation = 0;
  #leases = 0;
  /** Why the stream ended, once it has. */
  ended: string | undefined;

  constructor(port: number, request: Partial<OpenRequest> = {}) {
    const { secret, identity, steal } = openOf();
    const defaults = { runId, secret, identity, steal, generation: 1, held: [], received: 0n };
    this.#port = port;
    this.#request = { ...defaults, ...request };
    this.#endpoint = controllerEndpoint({
      session: this.#request.runId,
      mergeHistograms: mergeEncoded,
    });
  }

  /** @throws DialError when the agent refuses */
  async dial(): Promise<DialledAgent> {
    const generation = ++this.#generation;
    const endpoint = this.#endpoint;
    const dialled = await dialAgent(
      {
        address: { host: '127.0.0.1', port: this.#port },
        connectMs: patienceMs,
        helloMs: patienceMs,
        clock: systemClock,
      },
      { ...this.#request, generation, held: endpoint.held(), received: endpoint.received },
      new AbortController().signal,
    );
    this.#dialled = dialled;
    this.ended = undefined;
    this.#duplex = new Duplex({
      stream: dialled.stream,
      endpoint,
      generation,
      peerReceived: dialled.welcome.received,
      clock: systemClock,
      log: () => undefined,
      onEvent: (event) => {
        if (event.kind === 'message') this.heard.push(event.message);
        this.#wake();
      },
      onEnd: ({ reason }) => {
        this.ended = reason;
        dialled.hangUp();
        this.#wake();
      },
    });
    return dialled;
  }

  say(message: ControllerMessage): this {
    this.#duplex?.send(message);
    return this;
  }

  lease(): this {
    return this.say({ kind: 'lease', count: ++this.#leases });
  }

  prepare(assignment: Assignment): this {
    return this.say({ kind: 'prepare', assignment: JSON.stringify(assignment) });
  }

  /** Waits until `seen` finds something, looking after everything that arrives. */
  async until<T>(what: string, seen: () => T | undefined): Promise<T> {
    const deadline = AbortSignal.timeout(patienceMs);
    for (;;) {
      const found = seen();
      if (found !== undefined) return found;
      if (deadline.aborted) throw new Error(`no ${what}; heard: ${this.#kinds()}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          deadline.removeEventListener('abort', wake);
          resolve();
        };
        deadline.addEventListener('abort', wake);
        this.#wake = wake;
      });
    }
  }

  /** The `nth` message of a kind, from 1. */
  async hear<K extends AgentMessage['kind']>(kind: K, nth = 1): Promise<Kind<K>> {
    return this.until(`${kind} (${String(nth)})`, () => {
      const found = this.all(kind)[nth - 1];
      const [failure] = this.all('error');
      if (!found && failure && !afterFailure.has(kind))
        throw new Error(`${kind}: ${failure.message}`);
      return found;
    });
  }

  all<K extends AgentMessage['kind']>(kind: K): Kind<K>[] {
    return this.heard.filter((message): message is Kind<K> => message.kind === kind);
  }

  async end(): Promise<string> {
    return this.until('end of the stream', () => this.ended);
  }

  /** The graceful end: goodbye, then the agent ends the stream. */
  async goodbye(): Promise<void> {
    this.say({ kind: 'goodbye', reason: 'test over' });
    this.#duplex?.close('test over');
    await this.end();
  }

  /** As when this process died: the connection is just gone. */
  vanish(): void {
    this.#duplex?.cancel('vanished');
    this.#dialled?.hangUp();
  }

  #kinds(): string {
    return this.heard.map(({ kind }) => kind).join(' ');
  }
}
