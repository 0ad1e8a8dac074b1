import type { AgentMessage } from '../../shared/model/messages.js';
import type { LinkReport } from '../../shared/model/link-report.js';
import { HeldRanges } from './held-ranges.js';
import type { RunRecord } from './records.js';

/** What is known of one agent in one stage. */
interface Known {
  readonly held: HeldRanges;
  started: boolean;
  result: boolean;
}

function framesSent({ sent }: LinkReport): number {
  return sent.reduce((sum, { messages }) => sum + messages, 0);
}

/**
 * Adds what an agent kept of a run to what the journal has of it, nothing twice: fed with the run's records, it says
 * which messages of a checkpoint are news, as records.
 */
export class CheckpointMerge {
  readonly #known = new Map<string, Known>();
  readonly #bounds = new Map<number, number>();
  /** Frames that an agent had sent at its last report: only a later one is news. */
  readonly #reported = new Map<number, number>();

  learn(record: RunRecord): void {
    switch (record.type) {
      case 'interval':
        this.#of(record.agent, record.interval.stage).held.add(
          record.interval.first,
          record.interval.last,
        );
        return;
      case 'stageResult':
        this.#of(record.agent, record.result.stage).result = true;
        return;
      case 'started':
        this.#of(record.agent, record.stage).started = true;
        return;
      case 'clock':
        this.#bounds.set(record.agent, record.clock.boundNs);
        return;
      case 'linkReport':
        this.#reported.set(record.agent, framesSent(record.report));
        return;
      default:
        return;
    }
  }

  /** Undefined: known already, or nothing that counts. The record still has to be `learn`ed. */
  news(agent: number, message: AgentMessage): RunRecord | undefined {
    switch (message.kind) {
      case 'interval': {
        const { held } = this.#of(agent, message.stage);
        const { first, last } = message;
        return held.has(first, last) === 'none'
          ? { type: 'interval', agent, interval: message }
          : undefined;
      }
      case 'stageResult':
        if (this.#of(agent, message.stage).result) return undefined;
        return { type: 'stageResult', agent, result: message };
      case 'started': {
        const { stage, firstOperationNs, atNs } = message;
        if (this.#of(agent, stage).started || firstOperationNs === 0n) return undefined;
        const boundNs = this.#bounds.get(agent) ?? 0;
        const latenessNs = Number(firstOperationNs - atNs);
        return { type: 'started', agent, stage, latenessNs, boundNs };
      }
      case 'linkReport': {
        const { kind: _kind, ...report } = message;
        const isNews = framesSent(report) > (this.#reported.get(agent) ?? 0);
        return isNews ? { type: 'linkReport', agent, report } : undefined;
      }
      default:
        return undefined;
    }
  }

  #of(agent: number, stage: number): Known {
    const key = `${String(agent)} ${String(stage)}`;
    let known = this.#known.get(key);
    if (!known) {
      known = { held: new HeldRanges(), started: false, result: false };
      this.#known.set(key, known);
    }
    return known;
  }
}
