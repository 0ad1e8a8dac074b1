import type { AgentLoad, AgentStatus, RunSnapshot } from '../core/snapshot.js';
import { agentHealth } from './agent-health.js';
import type { Health } from './agent-health.js';
import { bytes, clock, duration, instant, rate } from './format.js';
import { table } from './table.js';
import { threadsText } from '../core/threads-text.js';
import { counted } from '../../shared/kernel/counted.js';

export interface AgentLine {
  readonly text: string;
  readonly health: Health;
}

/** What stands left of the overall bar: `running mixed (2/3)`. */
export function phaseText({ status }: RunSnapshot): string {
  const { phase, stage, stageCount } = status;
  if (!stage) return phase;
  const number = stageCount > 1 ? ` (${String(stage.index + 1)}/${String(stageCount)})` : '';
  return `${phase} ${stage.name}${number}`;
}

/** How far the phase is, 0 … 1; undefined when that cannot be said. */
export function phaseProgress({ status, live }: RunSnapshot): number | undefined {
  const { stage, agents, phase } = status;
  if (stage && (phase === 'running' || phase === 'collecting')) {
    // The limit that is nearest ends the stage; what agents said of their preparing is no progress here.
    const done = live.stage === stage.index ? live : { operations: 0, bytes: 0 };
    return clamp(
      Math.max(
        stage.elapsedMs / (stage.durationMs ?? Infinity),
        done.operations / (stage.maxOperations ?? Infinity),
        done.bytes / (stage.maxBytes ?? Infinity),
      ),
    );
  }
  if (phase === 'preparing' || phase === 'cleaning') return meanOfShares(agents);
  if (phase === 'connecting') {
    return clamp(agents.filter(({ link }) => link === 'CONNECTED').length / agents.length);
  }
  return live.operations > 0 && phase === 'finished' ? 1 : undefined;
}

/** What stands right of the overall bar: errors, time, rates; as many of them, whole, as `room` characters hold. */
export function overallText(snapshot: RunSnapshot, room = Infinity): string {
  const cells = overallCells(snapshot).filter((cell) => cell !== '');
  while (cells.length > 0 && join(cells).length > room) cells.pop();
  return join(cells);
}

function overallCells(snapshot: RunSnapshot): readonly string[] {
  const { status, live } = snapshot;
  const { stage } = status;
  if (status.phase === 'preparing' || status.phase === 'cleaning') {
    return [
      clock(snapshot.elapsedMs / 1000),
      preparedText(status.agents),
      setUpText(status.agents),
    ];
  }
  if (stage && stage.elapsedMs < 0 && stage.elapsedMs >= -stage.warmupMs) {
    return [`warm-up, measured in ${instant(-stage.elapsedMs / 1000)}`];
  }
  if (stage && stage.elapsedMs < 0)
    return [`starts in ${instant(-(stage.elapsedMs + stage.warmupMs) / 1000)}`];
  if (!stage || status.phase === 'arming' || live.stage !== stage.index) {
    return [clock(snapshot.elapsedMs / 1000), setUpText(status.agents)];
  }
  const elapsed = clock(stage.elapsedMs / 1000);
  const soFar = [
    live.errors === 0 ? '' : counted(live.errors, 'error'),
    stage.durationMs === undefined ? elapsed : `${elapsed}/${clock(stage.durationMs / 1000)}`,
  ];
  // Nobody has reported a second yet: that is no rate of 0.
  if (live.second === undefined) return soFar;
  return [
    ...soFar,
    `${rate(live.operationsPerSecond)} ops/s`,
    `${bytes(live.bytesPerSecond)}/s`,
    live.p99Ns === undefined ? '' : `p99 ${duration(live.p99Ns)}`,
  ];
}

/**
 * One line per agent, at most `most` (the last of them tells how many are left out): the sick and the slow first. Numbers
 * for which `width` has no room are left out: half of one would be another.
 */
export function agentLines(
  snapshot: RunSnapshot,
  most: number,
  width = Infinity,
): readonly AgentLine[] {
  const { agents } = snapshot.status;
  if (most <= 0 || agents.length === 0) return [];
  const loads = new Map(snapshot.live.agents.map((load) => [load.index, load]));
  const rows = agents.map((status) => {
    const load = loads.get(status.index);
    return { status, load, health: agentHealth(status, snapshot) };
  });
  const all = rows.length <= most;
  // In a fixed order the eye finds an agent again; sorting is only for those that would not be seen.
  if (!all) {
    rows.sort((a, b) => b.health.grade - a.health.grade || speed(a.load) - speed(b.load));
  }
  const kept = all ? rows : rows.slice(0, most - 1);
  const texts = tableWithin(
    width,
    kept.map(({ status, load, health }) => cells(status, load, health)),
  );
  const lines = kept.map(({ health }, index) => ({
    text: `${texts[index] ?? ''}  ${health.note}`.trimEnd(),
    health,
  }));
  if (all) return lines;
  const left = rows.slice(most - 1);
  const sick = left.filter(({ health }) => health.grade > 0).length;
  const how = sick === 0 ? 'all well' : `${String(sick)} of them not well`;
  return [...lines, { text: `  ... and ${String(left.length)} more, ${how}`, health: fine }];
}

/** Its last columns are left out as need be, but not name and state. */
function tableWithin(width: number, rows: readonly (readonly string[])[]): readonly string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const lines = table(rows);
  if (columns <= 2 || lines.every((line) => line.length <= width)) return lines;
  return tableWithin(
    width,
    rows.map((row) => row.slice(0, columns - 1)),
  );
}

const fine: Health = { grade: 0, note: '' };

function cells(
  status: AgentStatus,
  load: AgentLoad | undefined,
  health: Health,
): readonly string[] {
  const name = [status.id.slice(0, 24), stateText(status).padStart(stateWidth)];
  // What an agent in trouble said last is not what it does now: its trouble stands there instead.
  if (health.grade >= 2) return name;
  // The note follows the last cell, and needs the room more.
  const known = status.roundTripMs !== undefined && health.note === '';
  const link = known ? `rtt ${duration(status.roundTripMs * 1e6)}` : '';
  const latest = load?.latest;
  if (latest === undefined || (status.state !== 'RUNNING' && status.state !== 'DRAINING')) {
    const { progress } = status;
    const busy = progress !== undefined && progress.done < progress.total;
    return [...name, busy ? preparedText([status]) : setUpText([status]), '', '', link];
  }
  return [
    ...name,
    `${rate(latest.operationsPerSecond)} ops/s`,
    `${bytes(latest.bytesPerSecond)}/s`,
    latest.p99Ns === undefined ? '' : `p99 ${duration(latest.p99Ns)}`,
    link,
  ];
}

/** The longest of them; a fixed width keeps the columns still. */
const stateWidth = 'DISCONNECTED'.length;

/** The link's state where that is what matters. */
export function stateText({ link, state }: AgentStatus): string {
  return link === 'HUNG' || link === 'DISCONNECTED' ? link : state;
}

function preparedText(agents: readonly AgentStatus[]): string {
  const parts = agents.flatMap(({ progress }) => (progress ? [progress] : []));
  const [first] = parts;
  if (!first) return '';
  const done = parts.reduce((sum, part) => sum + part.done, 0);
  const total = parts.reduce((sum, part) => sum + part.total, 0);
  const show = first.unit === 'bytes' ? bytes : String;
  return `${show(done)} of ${show(total)}${first.unit === 'bytes' ? '' : ` ${first.unit}`}`;
}

/** Of agents whose threads are being started. */
function setUpText(agents: readonly AgentStatus[]): string {
  const parts = agents.flatMap(({ threads }) => threads ?? []);
  if (parts.length === 0) return '';
  const done = parts.reduce((sum, part) => sum + part.done, 0);
  return threadsText({ done, total: parts.reduce((sum, part) => sum + part.total, 0) });
}

/**
 * The mean of the agents' shares, in which every agent counts the same: of who has said nothing yet nothing is known but
 * that nothing is done, so that the sum does not fall when it says how much there is to do.
 */
function meanOfShares(agents: readonly AgentStatus[]): number | undefined {
  const isLost = ({ state, link }: AgentStatus): boolean =>
    state === 'FAILED' || state === 'ABORTED' || link === 'HUNG';
  const parts = agents.filter((agent) => agent.progress !== undefined || !isLost(agent));
  const shares = parts.flatMap(({ progress }) =>
    progress !== undefined && progress.total > 0 ? [progress.done / progress.total] : [],
  );
  if (shares.length === 0) return undefined;
  return clamp(shares.reduce((sum, share) => sum + share, 0) / parts.length);
}

function speed(load: AgentLoad | undefined): number {
  return load?.latest?.operationsPerSecond ?? 0;
}

function clamp(share: number): number {
  return Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
}

function join(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('  ');
}
