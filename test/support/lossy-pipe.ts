/** Two endpoints joined by a pipe that can lose, damage, repeat and reorder frames; time moves only by `run`. */
import { agentEndpoint, controllerEndpoint } from '../../src/shared/wire/link-endpoint.js';
import type { LinkEndpoint, LinkEvent } from '../../src/shared/wire/link-endpoint.js';
import type { AgentMessage, ControllerMessage } from '../../src/shared/model/messages.js';
import { mostPerFrame } from '../../src/shared/wire/live-pace.js';
import type { MergeHistograms } from '../../src/shared/wire/merge-intervals.js';

/** What happens to a frame on its way. `late`: it arrives after this many others. */
export type Fate = 'arrive' | 'drop' | 'damage' | 'repeat' | { readonly late: number };

/** Stands in for real histograms: merging shows as concatenation. */
export const concatenate: MergeHistograms = (a, b) => Buffer.concat([a, b]);

interface Flying {
  readonly bytes: Buffer;
  readonly generation: number;
  atMs: number;
}

export class LossyPipe {
  readonly controller: LinkEndpoint<ControllerMessage, AgentMessage>;
  readonly agent: LinkEndpoint<AgentMessage, ControllerMessage>;
  readonly toController: LinkEvent<AgentMessage>[] = [];
  readonly toAgent: LinkEvent<ControllerMessage>[] = [];
  nowMs = 1000;
  /** Decides the fate of each frame. */
  fate: () => Fate = () => 'arrive';
  /** One way. */
  delayMs: number;
  #generation = 0;
  #toController: Flying[] = [];
  #toAgent: Flying[] = [];

  constructor({ session = 'run-1', delayMs = 1 } = {}) {
    this.delayMs = delayMs;
    this.controller = controllerEndpoint({ session, mergeHistograms: concatenate });
    this.agent = agentEndpoint({ session, mergeHistograms: concatenate });
  }

  connect(): void {
    this.#generation += 1;
    const held = this.controller.held();
    const received = this.controller.received;
    this.controller.attach(this.#generation, this.nowMs, this.agent.received);
    const peer = { held, intervalsPerFrame: mostPerFrame, takesBeside: true };
    this.agent.attach(this.#generation, this.nowMs, received, peer);
  }

  /** What was on its way is lost. */
  cut(): void {
    this.controller.detach();
    this.agent.detach();
    this.#toController = [];
    this.#toAgent = [];
  }

  /** Lets `ms` pass in steps of a millisecond. `writable` false: nothing can be written. */
  run(ms: number): void {
    const end = this.nowMs + ms;
    while (this.nowMs < end) {
      this.nowMs += 1;
      this.#write(this.agent, this.#toController);
      this.#write(this.controller, this.#toAgent);
      this.#toController = this.#arrive(this.#toController, this.controller, this.toController);
      this.#toAgent = this.#arrive(this.#toAgent, this.agent, this.toAgent);
    }
  }

  #write(from: LinkEndpoint<never>, flying: Flying[]): void {
    for (let bytes = from.poll(this.nowMs); bytes; bytes = from.poll(this.nowMs)) {
      const generation = this.#generation;
      const atMs = this.nowMs + this.delayMs;
      const fate = this.fate();
      if (fate === 'drop') continue;
      if (fate === 'damage') {
        const middle = Math.floor(bytes.length / 2);
        bytes[middle] = (bytes[middle] ?? 0) ^ 0xff;
      }
      flying.push({ bytes, generation, atMs: typeof fate === 'object' ? atMs + fate.late : atMs });
      if (fate === 'repeat') flying.push({ bytes, generation, atMs });
    }
  }

  #arrive<In extends AgentMessage | ControllerMessage>(
    flying: Flying[],
    to: LinkEndpoint<never, In>,
    events: LinkEvent<In>[],
  ): Flying[] {
    for (const { bytes, generation, atMs } of flying) {
      if (atMs <= this.nowMs) events.push(...to.receive(bytes, this.nowMs, generation));
    }
    return flying.filter(({ atMs }) => atMs > this.nowMs);
  }
}

export function messagesIn<In extends AgentMessage | ControllerMessage>(
  events: readonly LinkEvent<In>[],
): In[] {
  return events.flatMap((event) => (event.kind === 'message' ? [event.message] : []));
}
