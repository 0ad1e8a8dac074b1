import type { LogLevel } from '../../shared/kernel/log.js';
import type { ControllerMessage } from '../../shared/model/messages.js';
import type { RunRecord } from './records.js';
import type { RunEffect } from './run-io.js';

/** Collects the effects of one input in their order. */
export class Outbox {
  #effects: RunEffect[] = [];

  push(effect: RunEffect): void {
    this.#effects.push(effect);
  }

  send(agent: number, message: ControllerMessage): void {
    this.push({ kind: 'send', agent, message });
  }

  notice(level: LogLevel, line: string): void {
    this.push({ kind: 'notice', level, line });
  }

  /** For the user now, and for the warnings of the results. */
  warn(line: string): void {
    this.notice('warn', line);
    this.record({ type: 'warning', line });
  }

  record(record: RunRecord): void {
    this.push({ kind: 'record', record });
  }

  take(): RunEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
