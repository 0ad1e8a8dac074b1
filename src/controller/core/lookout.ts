import type { AgentMessage } from '../../shared/model/messages.js';
import type { Timeouts } from '../../shared/model/plan.js';
import { Contact } from './contact.js';
import { silentAfterMs, StageWatch } from './stage-watch.js';
import type { Heard, Verdict, Watch } from './watch.js';
import { WorkWatch } from './work-watch.js';

type HeartbeatMessage = Extract<AgentMessage, { kind: 'heartbeat' }>;

/** What the lookout must be told of the agent. */
export interface Outlook {
  readonly nowMs: number;
  readonly connected: boolean;
  readonly isWorking: boolean;
}

/** Keeps an eye on one agent: how well it is heard, and the watch that the present part of the run needs. */
export class Lookout {
  readonly contact: Contact;
  heartbeat: HeartbeatMessage | undefined;
  #watch: Watch | undefined;

  constructor(timeouts: Timeouts) {
    this.contact = new Contact(timeouts);
  }

  /** Undefined: its silence does not matter now. */
  set watch(watch: Watch | undefined) {
    this.#watch = watch;
  }

  /** The watch over a stage that runs. */
  get stage(): StageWatch | undefined {
    return this.#watch instanceof StageWatch ? this.#watch : undefined;
  }

  /** The watch over work without stats. */
  get work(): WorkWatch | undefined {
    return this.#watch instanceof WorkWatch ? this.#watch : undefined;
  }

  /** It had been silent, or without a stream: what stood still meanwhile is not its storage's doing. */
  heardAgain(nowMs: number): void {
    this.work?.heardAgain(nowMs);
    this.stage?.heardAgain(nowMs);
  }

  get runnerIsSilent(): boolean {
    return (this.heartbeat?.runnerSilenceNs ?? 0) / 1e6 > silentAfterMs;
  }

  check(outlook: Outlook): Verdict | undefined {
    return this.#watch?.check(this.#heard(outlook));
  }

  wakeAt(outlook: Outlook): number | undefined {
    return this.#watch?.wakeAt(this.#heard(outlook));
  }

  shift(ms: number): void {
    this.contact.shift(ms);
    this.#watch?.shift(ms);
  }

  #heard({ nowMs, connected, isWorking }: Outlook): Heard {
    const { heardAtMs } = this.contact;
    return { nowMs, connected, isWorking, heardAtMs, runnerSilent: this.runnerIsSilent };
  }
}
