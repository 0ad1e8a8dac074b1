import cliProgress from 'cli-progress';
import type { MultiBar, Options, Params, SingleBar } from 'cli-progress';
import type { LogLevel } from '../../shared/kernel/log.js';
import type { RunSnapshot } from '../core/snapshot.js';
import { agentLines, overallText, phaseProgress, phaseText } from './live-lines.js';
import type { AgentLine } from './live-lines.js';
import type { Paint } from './paint.js';
import { noticeText, shown } from './run-view.js';
import type { RunView } from './run-view.js';

/** A terminal; a node tty.WriteStream fits. */
export interface Terminal {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

interface Payload {
  before: string;
  after: string;
}

/** Lines that the bars leave to what stands above them. */
const linesAbove = 2;
/** Below it the bar is short, so that the numbers beside it can be read. */
const wideEnough = 90;

/** One bar for the run and a line per agent, at most as high as the terminal; notices scroll by above. */
export class ProgressBars implements RunView {
  readonly #terminal: Terminal;
  readonly #paint: Paint;
  readonly #verbose: boolean;
  #bars: MultiBar | undefined;
  #lines: SingleBar[] = [];
  #size = '';

  constructor(terminal: Terminal, paint: Paint, verbose: boolean) {
    this.#terminal = terminal;
    this.#paint = paint;
    this.#verbose = verbose;
  }

  update(snapshot: RunSnapshot): void {
    // A terminal that nobody told its size says 0, as that of `ssh -tt` without one at the other end.
    const width = (this.#terminal.columns || 80) - 1;
    const most = Math.max(0, (this.#terminal.rows || 24) - linesAbove - 1);
    const agents = agentLines(snapshot, most, width);
    const size = `${String(width)} ${String(agents.length)}`;
    // cli-progress cannot take lines away: after a change of size it starts afresh.
    if (size !== this.#size) this.#restart(agents.length, width < wideEnough ? 8 : 20);
    this.#size = size;
    const [overall, ...lines] = this.#lines;
    overall?.update((phaseProgress(snapshot) ?? 0) * 1000, this.#overall(snapshot, width));
    for (const [index, line] of lines.entries()) {
      const agent = agents[index];
      if (agent) line.update(0, { before: this.#painted(agent, width), after: '' });
    }
    this.#bars?.update();
  }

  notice(level: LogLevel, line: string): void {
    if (!shown(level, this.#verbose)) return;
    const text = `${this.#colour(level)(noticeText(level, line))}\n`;
    if (this.#bars) {
      // Over the bars, which are drawn again below; their lines do not wrap, notices must.
      this.#bars.log(`\x1b[J\x1b[?7h${text}\x1b[?7l`);
      this.#bars.update();
    } else {
      this.#terminal.write(text);
    }
  }

  close(): void {
    this.#bars?.stop();
    this.#bars = undefined;
    this.#size = '';
  }

  #restart(agents: number, barsize: number): void {
    this.#bars?.stop();
    const bars = new cliProgress.MultiBar({
      format,
      stream: this.#terminal as NodeJS.WritableStream,
      // Fully redrawn by every update(); its own timer is only a second pair of hands.
      fps: 1,
      forceRedraw: true,
      clearOnComplete: true,
      hideCursor: true,
      linewrap: false,
      barsize,
      barCompleteChar: '#',
      barIncompleteChar: '-',
    });
    const payload: Payload = { before: '', after: '' };
    this.#lines = Array.from({ length: agents + 1 }, () => bars.create(1000, 0, { ...payload }));
    this.#bars = bars;
  }

  #overall(snapshot: RunSnapshot, width: number): Payload {
    const progress = phaseProgress(snapshot);
    const percent = progress === undefined ? '' : ` ${String(Math.floor(progress * 100))} %`;
    const phase = phaseText(snapshot);
    const room = Math.max(0, width - phase.length - (width < wideEnough ? 12 : 24));
    const text = overallText(snapshot, room - percent.length - 2);
    const after = `${percent}  ${text}`.trimEnd().slice(0, room);
    return { before: this.#paint.strong(phase.slice(0, Math.max(0, width - 12))), after };
  }

  #painted(agent: AgentLine, width: number): string {
    const text = agent.text.slice(0, width);
    switch (agent.health.grade) {
      case 0:
        return text;
      case 1:
      case 2:
        return this.#paint.warn(text);
      case 3:
        return this.#paint.bad(text);
    }
  }

  #colour(level: LogLevel): (text: string) => string {
    switch (level) {
      case 'error':
        return this.#paint.bad;
      case 'warn':
        return this.#paint.warn;
      case 'debug':
        return this.#paint.dim;
      case 'info':
        return (text) => text;
    }
  }
}

/** The overall line has an `after`, and so a bar; the agents' lines are text. */
function format(options: Options, params: Params, payload: Payload): string {
  if (payload.after === '') return payload.before;
  return `${payload.before} [${cliProgress.Format.BarFormat(params.progress, options)}]${payload.after}`;
}
