import pLimit from 'p-limit';
import type { Clock } from '../../shared/kernel/clock.js';
import type { LinkMetrics } from '../../shared/model/link-metrics.js';
import type { ControllerMessage, HeldRange } from '../../shared/model/messages.js';
import { openControllerWarning } from '../../shared/wire/open-door.js';
import { addressOf, GrpcLink, type GrpcLinkOptions } from './agent-link.js';
import type { AgentLinks } from './run-driver.js';

/** Fetches under way at once. Dials have no limit: their deadlines start together. */
const fetchesAtOnce = 256;
/** Agents get this long to hear that the controller leaves at once. */
const leaveMs = 1000;

/** The links of a run over gRPC. Whatever goes wrong with a link is an input of the run. */
export class GrpcLinks implements AgentLinks {
  readonly #links: readonly GrpcLink[];
  readonly #limit = pLimit(fetchesAtOnce);
  readonly #clock: Clock;
  readonly #onBug: (bug: unknown) => void;

  constructor(options: GrpcLinkOptions) {
    this.#clock = options.clock;
    this.#links = options.plan.agents.map((agent) => new GrpcLink(agent, options));
    this.#onBug = options.onBug;
  }

  dial(agent: number, generation: number, held: readonly HeldRange[]): void {
    this.#link(agent).dial(generation, held).catch(this.#onBug);
  }

  helloProbe(agent: number): void {
    this.#link(agent).helloProbe().catch(this.#onBug);
  }

  send(agent: number, message: ControllerMessage): void {
    this.#link(agent).send(message);
  }

  hangUp(agent: number, generation: number, reason: string): void {
    this.#link(agent).hangUp(generation, reason);
  }

  fetch(agent: number, instanceId: string): void {
    this.#limit(() => this.#link(agent).fetch(instanceId)).catch(this.#onBug);
  }

  async close(fetchMs?: number): Promise<void> {
    await Promise.all(this.#links.map((link) => link.close(fetchMs)));
  }

  async leave(reason: string): Promise<readonly number[]> {
    let cancel = (): void => undefined;
    const patience = new Promise<void>((resolve) => {
      cancel = this.#clock.after(leaveMs, resolve);
    });
    await Promise.race([Promise.all(this.#links.map((link) => link.leave(reason))), patience]);
    cancel();
    const untold = this.#links.flatMap(({ isHeard }, agent) => (isHeard ? [] : [agent]));
    this.cut();
    return untold;
  }

  cut(): void {
    for (const link of this.#links) link.cut();
  }

  metrics(agent: number): LinkMetrics {
    return this.#link(agent).metrics();
  }

  #link(agent: number): GrpcLink {
    const link = this.#links[agent];
    if (!link) throw new RangeError(`no agent ${agent} in the plan`);
    return link;
  }
}

/** Once per command, for those who may not know that everybody can listen; undefined: there is nothing to say. */
export function openLinksWarning({
  plan,
  access,
}: Pick<GrpcLinkOptions, 'plan' | 'access'>): string | undefined {
  return openControllerWarning(
    plan.agents.map((agent) => addressOf(agent).host),
    access,
  );
}
