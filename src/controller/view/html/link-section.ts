import type { ManifestDocument } from '../../core/manifest.js';
import { duration } from '../format.js';
import { html } from './markup.js';
import type { Markup } from './markup.js';

type Agent = ManifestDocument['agents'][number];

/** The links: who lost theirs for how long, round trips, and how well the clocks are known. */
export function linkSection(manifest: ManifestDocument, elapsedMs: number): Markup {
  return html`<section>
    <h2>Links and clocks</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>agent</th>
            <th>address</th>
            <th>link at the end</th>
            <th>reconnects</th>
            <th>time without link</th>
            <th>longest outage</th>
            <th>round trip, best</th>
            <th>worst</th>
            <th>clock offset</th>
            <th>±</th>
          </tr>
        </thead>
        <tbody>
          ${manifest.agents.map((agent) => row(agent, elapsedMs))}
        </tbody>
      </table>
    </div>
  </section>`;
}

function row(agent: Agent, elapsedMs: number): Markup {
  const outages = outagesOf(agent, elapsedMs);
  const trips = agent.clock.map(({ round_trip_ns: ns }) => ns);
  const last = agent.clock.at(-1);
  const cells = [
    agent.address,
    agent.link,
    String(agent.reconnects),
    time(outages.reduce((sum, ms) => sum + ms, 0)),
    time(Math.max(0, ...outages)),
    trips.length === 0 ? '–' : duration(Math.min(...trips)),
    trips.length === 0 ? '–' : duration(Math.max(...trips)),
    last ? duration(Number(last.offset_ns)) : '–',
    last ? duration(last.bound_ns) : '–',
  ];
  return html`<tr>
    <th>${agent.id}</th>
    ${cells.map((text) => html`<td>${text}</td>`)}
  </tr>`;
}

/** Lengths in ms. */
function outagesOf({ links }: Agent, elapsedMs: number): readonly number[] {
  const outages: number[] = [];
  let since: number | undefined;
  for (const { at_ms: at, link } of links) {
    const away = link === 'DISCONNECTED' || link === 'HUNG';
    if (away) since ??= at;
    else if (since !== undefined) {
      outages.push(at - since);
      since = undefined;
    }
  }
  if (since !== undefined) outages.push(elapsedMs - since);
  return outages;
}

function time(ms: number): string {
  return ms === 0 ? '–' : duration(ms * 1e6);
}
