import type { AgentMessage, ControllerMessage } from '../../../src/shared/model/messages.js';
import {
  agentEndpoint,
  controllerEndpoint,
  type LinkEndpoint,
} from '../../../src/shared/wire/link-endpoint.js';
import { mostPerFrame } from '../../../src/shared/wire/live-pace.js';
import type { MergeHistograms } from '../../../src/shared/wire/merge-intervals.js';
import { Path, type End, type Stream } from './network.js';
import { World } from './world.js';

interface Side {
  readonly endpoint: LinkEndpoint;
  readonly heard: (message: AgentMessage | ControllerMessage) => void;
  wakesAtMs: number;
}

/** Two real endpoints and nothing else, on a simulated path and time. */
export class LinkPair {
  readonly world: World;
  readonly path: Path;
  /** What the agent would log of its link's parameters. */
  readonly changes: string[] = [];
  readonly #sides: Readonly<Record<End, Side>>;
  #stream: Stream | undefined;
  #generation = 0;

  constructor(options: {
    readonly seed: number;
    readonly mergeHistograms: MergeHistograms;
    readonly toController: (message: AgentMessage, nowMs: number) => void;
  }) {
    this.world = new World(options.seed);
    this.path = new Path(this.world, 20, 5);
    const link = { session: 'run-1', mergeHistograms: options.mergeHistograms };
    this.#sides = {
      controller: {
        endpoint: controllerEndpoint(link),
        heard: (message) => {
          options.toController(message as AgentMessage, this.world.nowMs);
        },
        wakesAtMs: Infinity,
      },
      agent: {
        endpoint: agentEndpoint(link),
        heard: () => undefined,
        wakesAtMs: Infinity,
      },
    };
  }

  get agent(): LinkEndpoint {
    return this.#sides.agent.endpoint;
  }

  get isUp(): boolean {
    return this.#stream !== undefined;
  }

  send(from: End, message: AgentMessage | ControllerMessage): void {
    this.#sides[from].endpoint.send(message);
    this.#pump(from);
  }

  /** A new stream, as a resume makes it. */
  connect(): void {
    this.#generation += 1;
    const stream = this.path.connect();
    this.#stream = stream;
    const { controller, agent } = this.#sides;
    const { nowMs } = this.world;
    const [received, held] = [controller.endpoint.received, controller.endpoint.held()];
    controller.endpoint.attach(this.#generation, nowMs, agent.endpoint.received);
    const peer = { held, intervalsPerFrame: mostPerFrame, takesBeside: true };
    agent.endpoint.attach(this.#generation, nowMs, received, peer);
    for (const end of ['controller', 'agent'] as const) {
      stream.attach(end, {
        frame: (bytes) => {
          this.#receive(end, bytes);
        },
        closed: () => undefined,
      });
      this.#pump(end);
    }
  }

  /** What is on its way is lost. */
  cut(): void {
    this.path.cut();
    this.#stream = undefined;
    for (const { endpoint } of Object.values(this.#sides)) endpoint.detach();
  }

  #receive(end: End, bytes: Buffer): void {
    const { endpoint, heard } = this.#sides[end];
    for (const event of endpoint.receive(bytes, this.world.nowMs)) {
      if (event.kind === 'message') heard(event.message);
      if (event.kind === 'adapted' && end === 'agent') this.changes.push(event.line);
    }
    this.#pump(end);
  }

  #pump(end: End): void {
    const stream = this.#stream;
    if (!stream) return;
    const side = this.#sides[end];
    const again = (): void => {
      if (stream === this.#stream) this.#pump(end);
    };
    while (!stream.isFull(end, again)) {
      const bytes = side.endpoint.poll(this.world.nowMs);
      if (!bytes) break;
      stream.write(end, bytes);
    }
    const wakeMs = side.endpoint.wakeAt();
    if (wakeMs === undefined || stream.awaitsDrain(end) || wakeMs === side.wakesAtMs) return;
    side.wakesAtMs = wakeMs;
    this.world.at(wakeMs, () => {
      side.wakesAtMs = Infinity;
      again();
    });
  }
}
