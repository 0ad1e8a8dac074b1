import type { Instant } from '../../../shared/kernel/clock.js';
import type { AgentSession } from '../agent-session.js';
import { oneSentence } from '../one-sentence.js';
import { sameAgentTwice } from '../same-agent.js';
import type { Phase, RunContext } from './phase.js';

/** Dials all agents at once and goes on only with all of them; every bad one is named. */
export class Connecting implements Phase {
  readonly judgedAs = undefined;
  readonly #run: RunContext;
  #giveUpAtMs = 0;

  constructor(run: RunContext) {
    this.#run = run;
  }

  name(): 'connecting' {
    return 'connecting';
  }

  enter(now: Instant): void {
    const { connectMs, helloMs, reconnectWindowMs } = this.#run.plan.timeouts;
    // The driver's own deadlines come first; this one only makes sure that the phase ends.
    this.#giveUpAtMs = now.ms + connectMs + 2 * helloMs + reconnectWindowMs;
    for (const session of this.#run.sessions) {
      const { address } = session.context.agent;
      this.#run.outbox.notice('info', `Connecting to agent ${address}`);
      session.link.dialNow();
    }
  }

  on(): void {
    // poll() looks at the sessions themselves.
  }

  poll(now: Instant): void {
    const pending = this.#run.sessions.filter(
      (session) => session.ending.failure === undefined && !session.link.isOpen,
    );
    if (pending.length > 0) {
      if (now.ms >= this.#giveUpAtMs) this.#giveUp(pending);
      return;
    }
    const twins = sameAgentTwice(this.#run.sessions, ({ instanceId, context }) => ({
      instanceId,
      address: context.agent.address,
    }));
    const twinned = new Set(twins.flatMap(({ members }) => members));
    const bad = this.#run.sessions.filter(
      (session) => session.ending.failure !== undefined && !twinned.has(session),
    );
    const lines = [
      ...bad.map(({ ending }) => ending.failure ?? ''),
      ...twins.map(({ line }) => line),
    ];
    if (lines.length === 0) {
      this.#run.reached({ kind: 'connected' }, now);
      return;
    }
    for (const line of lines) this.#run.outbox.notice('error', line);
    this.#run.notStartable(oneSentence(lines), now);
  }

  wakeAt(): number {
    return this.#giveUpAtMs;
  }

  shift(ms: number): void {
    this.#giveUpAtMs += ms;
  }

  stage(): undefined {
    return undefined;
  }

  #giveUp(pending: readonly AgentSession[]): void {
    for (const session of pending) {
      session.ending.fail('lost', `Agent ${session.context.agent.address} unreachable: no answer`);
    }
  }
}
