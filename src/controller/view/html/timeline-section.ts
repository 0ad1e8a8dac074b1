import type { ManifestDocument } from '../../core/manifest.js';
import { clock } from '../format.js';
import { html } from './markup.js';
import type { Markup } from './markup.js';
import { timeScale } from './scale.js';

type Agent = ManifestDocument['agents'][number];

const width = 960;
const left = 130;
/** Room for half of the last label. */
const right = 24;
const rowHeight = 18;
const axisHeight = 22;

/** What every agent was doing when, and when its link was not there: one bar an agent over the whole run. */
export function timelineSection(manifest: ManifestDocument, elapsedMs: number): Markup {
  const end = Math.max(1, elapsedMs);
  const scale = timeScale(end / 1000);
  const across = (ms: number): number =>
    Math.round((left + (Math.min(ms, end) / end) * (width - left - right)) * 10) / 10;
  const height = axisHeight + manifest.agents.length * rowHeight;
  return html`<section>
    <h2>The run</h2>
    <p class="facts">
      <span class="swatch">connecting, idle or completed</span>
      <span class="swatch state-PREPARING">preparing</span>
      <span class="swatch state-READY">ready</span>
      <span class="swatch state-RUNNING">running</span>
      <span class="swatch state-DRAINING">draining</span>
      <span class="swatch state-CLEANING">cleaning</span>
      <span class="swatch state-FAILED">failed or aborted</span>
      <span class="swatch link-DISCONNECTED">no link</span>
      <span class="swatch link-HUNG">hung</span>
    </p>
    <div class="scroll">
      <svg
        class="timeline"
        viewBox="0 0 ${width} ${height}"
        role="img"
        aria-label="States of the agents over time"
      >
        ${scale.ticks.map(
          (second) =>
            html`<line
                class="grid"
                x1="${across(second * 1000)}"
                x2="${across(second * 1000)}"
                y1="0"
                y2="${height - axisHeight}"
              />
              <text class="tick" x="${across(second * 1000)}" y="${height - 6}" text-anchor="middle"
                >${clock(second)}</text
              >`,
        )}
        ${manifest.agents.map((agent, row) => agentBar(agent, row * rowHeight, across, end))}
      </svg>
    </div>
    ${decisions(manifest)}
  </section>`;
}

function agentBar(agent: Agent, y: number, across: (ms: number) => number, end: number): Markup {
  const states = spans(agent.states, ({ state }) => state, end);
  const gone = spans(agent.links, ({ link }) => link, end).filter(
    ({ name }) => name === 'DISCONNECTED' || name === 'HUNG',
  );
  return html`<text class="tick" x="${left - 8}" y="${y + 13}" text-anchor="end"
      >${shortened(agent.id)}</text
    >
    ${states.map(({ name, from, to, reason }) => bar(`state-${name}`, y + 2, 14, across(from), across(to), `${agent.id}: ${name} from ${seconds(from)} to ${seconds(to)}${reason}`))}
    ${gone.map(({ name, from, to, reason }) => bar(`link-${name}`, y + 6, 6, across(from), across(to), `${agent.id}: link ${name} from ${seconds(from)} to ${seconds(to)}${reason}`))}`;
}

function bar(
  name: string,
  y: number,
  height: number,
  from: number,
  to: number,
  text: string,
): Markup {
  const width = Math.max(1, Math.round((to - from) * 10) / 10);
  return html`<rect class="${name}" x="${from}" y="${y}" width="${width}" height="${height}"
    ><title>${text}</title></rect
  >`;
}

interface Span {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

function spans<T extends { readonly at_ms: number; readonly reason: string }>(
  changes: readonly T[],
  nameOf: (change: T) => string,
  end: number,
): readonly Span[] {
  return changes.map((change, index) => ({
    name: nameOf(change),
    from: change.at_ms,
    to: Math.max(change.at_ms, changes[index + 1]?.at_ms ?? end),
    reason: change.reason === '' ? '' : `: ${change.reason}`,
  }));
}

function decisions(manifest: ManifestDocument): Markup {
  const rows = manifest.timeline.decisions;
  if (rows.length === 0) return html`<p class="facts">No fault called for a decision.</p>`;
  return html`<h3>Decisions</h3>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>at</th>
            <th>event</th>
            <th>agent</th>
            <th>decision</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ at_ms, event, agent, verdict }) =>
              html`<tr>
                <td>${seconds(at_ms)}</td>
                <td class="text">${event}</td>
                <td class="text">${agent ?? '–'}</td>
                <td class="text">${verdict}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function shortened(id: string): string {
  return id.length <= 18 ? id : `${id.slice(0, 17)}…`;
}
