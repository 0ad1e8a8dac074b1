import type { LogLevel } from '../../shared/kernel/log.js';
import type { RunSnapshot } from '../core/snapshot.js';
import { agentHealth } from './agent-health.js';
import { overallText, phaseProgress, phaseText, stateText } from './live-lines.js';
import { noticeText, shown } from './run-view.js';
import type { RunView } from './run-view.js';

const everyMs = 10_000;
const quietMs = 1000;
/** More names than this make a line nobody reads. */
const mostNames = 5;
const mostOfNote = 60;

/** For logs and pipes: one plain line every 10 s, at every change of phase, and every notice. */
export class ProgressLines implements RunView {
  readonly #write: (text: string) => unknown;
  readonly #verbose: boolean;
  #phase = '';
  #nextMs = 0;

  constructor(write: (text: string) => unknown, verbose: boolean) {
    this.#write = write;
    this.#verbose = verbose;
  }

  update(snapshot: RunSnapshot): void {
    const phase = phaseText(snapshot);
    // Who is being connected to has been said; only when it takes long is there more to say.
    if (snapshot.status.phase === 'connecting' && snapshot.elapsedMs < quietMs) return;
    if (phase === this.#phase && snapshot.elapsedMs < this.#nextMs) return;
    this.#phase = phase;
    this.#nextMs = snapshot.elapsedMs + everyMs;
    this.#write(`${progressLine(snapshot)}\n`);
  }

  notice(level: LogLevel, line: string): void {
    if (shown(level, this.#verbose)) this.#write(`${noticeText(level, line)}\n`);
  }

  close(): void {
    // Every line is complete when it is written.
  }
}

/** `running mixed (1/2) 45 %: 0m27s/1m00s  136 ops/s  …; agent-2 HUNG` */
export function progressLine(snapshot: RunSnapshot): string {
  const progress = phaseProgress(snapshot);
  const percent = progress === undefined ? '' : ` ${String(Math.floor(progress * 100))} %`;
  const sick = snapshot.status.agents.flatMap((agent) => {
    const { grade, note } = agentHealth(agent, snapshot);
    if (grade === 0) return [];
    const state = stateText(agent);
    const why = clipped(note);
    return [state === 'RUNNING' ? `${agent.id} ${why}` : `${agent.id} ${state} ${why}`.trim()];
  });
  const names = sick.slice(0, mostNames);
  if (sick.length > mostNames) names.push(`${String(sick.length - mostNames)} more`);
  const tail = names.length === 0 ? '' : `; ${names.join(', ')}`;
  return `${phaseText(snapshot)}${percent}: ${overallText(snapshot)}${tail}`;
}

/** The whole sentence has been a notice. */
function clipped(note: string): string {
  return note.length <= mostOfNote ? note : `${note.slice(0, mostOfNote - 3)}...`;
}
