import { exitCodes, gravest, type ExitCode } from '../../shared/model/outcome.js';
import type { FailurePolicy } from '../../shared/model/plan.js';
import {
  decide,
  isAlive,
  policyText,
  type DecisionPhase,
  type RunEvent,
  type Standing,
} from './decisions.js';
import type { AgentSession } from './agent-session.js';
import { oneSentence } from './one-sentence.js';
import type { Outbox } from './outbox.js';
import { outcomeOf } from './run-end.js';
import type { RunEnd } from './run-io.js';

/** Applies the decision table to what happens, records each decision, and keeps what they add up to at the end. */
export class Judge {
  readonly #policy: FailurePolicy;
  readonly #sessions: readonly AgentSession[];
  readonly #outbox: Outbox;
  readonly #codes: ExitCode[] = [];
  /** Of the gravest code; more than one when several agents could not be prepared. */
  #reasons: string[] = [];
  #notRepresentative = false;

  constructor(policy: FailurePolicy, sessions: readonly AgentSession[], outbox: Outbox) {
    this.#policy = policy;
    this.#sessions = sessions;
    this.#outbox = outbox;
  }

  /** The reason to abort the run for, when that is the decision. */
  rule(
    event: RunEvent,
    phase: DecisionPhase,
    agent: number | undefined,
    why: string,
  ): string | undefined {
    const standing = this.#standing();
    const verdict = decide(event, phase, standing, this.#policy);
    const isAbort = verdict.kind === 'abort';
    const text = isAbort ? `abort (exit ${String(verdict.exitCode)})` : verdict.kind;
    this.#outbox.record({ type: 'decision', event, agent, verdict: text });
    if (!isAbort) return undefined;
    let reason = why;
    if (verdict.notRepresentative) {
      this.#notRepresentative = true;
      reason = `${policyText(this.#policy, standing)}: ${why}`;
      const line = `${reason} - aborting the rest, results are not representative`;
      this.#outbox.notice('error', line);
    }
    this.note(verdict.exitCode, reason);
    return reason;
  }

  /** Something that the end of the run must say; the gravest decides, and gives its reason. */
  note(code: ExitCode, reason: string | undefined): void {
    if (this.#codes.length === 0 || gravest([...this.#codes, code]) !== gravest(this.#codes)) {
      this.#reasons = reason === undefined ? [] : [reason];
    }
    this.#codes.push(code);
  }

  /** One more agent failed by itself while a run that could not be started is given up: the reason names it, too. */
  alsoFailed(line: string): void {
    if (gravest(this.#codes) === exitCodes.notStarted) this.#reasons.push(line);
  }

  end(): RunEnd {
    const exitCode = gravest(this.#codes);
    const isReasonless = exitCode === exitCodes.completed || this.#reasons.length === 0;
    return {
      outcome: outcomeOf(exitCode),
      exitCode,
      reason: isReasonless ? undefined : oneSentence(this.#reasons),
      notRepresentative: this.#notRepresentative,
    };
  }

  #standing(): Standing {
    const alive = this.#sessions.filter(({ state, linkState }) => isAlive(state, linkState));
    return { configured: this.#sessions.length, alive: alive.length };
  }
}
