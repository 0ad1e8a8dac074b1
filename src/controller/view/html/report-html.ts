import type { Aggregate } from '../../core/aggregate.js';
import { isoTime } from '../../core/calendar.js';
import type { ManifestDocument } from '../../core/manifest.js';
import type { Pieces } from '../../core/pieces.js';
import type { Summary } from '../../core/summary.js';
import { clock, hostSeconds } from '../format.js';
import { prepareFact } from '../prepare-fact.js';
import { measuredText } from '../measured-text.js';
import { linkSection } from './link-section.js';
import { html, Markup, nothing } from './markup.js';
import { stageSection } from './stage-section.js';
import { style } from './style.js';
import { timelineSection } from './timeline-section.js';
import { counted } from '../../../shared/kernel/counted.js';

export interface ReportOptions {
  /** While the run goes on: how often the browser asks again, in seconds. */
  readonly refreshSeconds?: number;
}

/**
 * report.html: one page without script and without anything to fetch. What agents and configs name is escaped, and the
 * page's own policy forbids scripts and connections.
 */
export function* reportHtml(
  aggregate: Aggregate,
  manifest: ManifestDocument,
  summary: Summary,
  options: ReportOptions = {},
): Pieces<string> {
  const { run } = summary;
  const elapsedMs = run.elapsed_s * 1000;
  const live = options.refreshSeconds !== undefined;
  const sections: Markup[] = [];
  for (const [index, stage] of summary.stages.entries()) {
    const track = aggregate.stages[index];
    if (track) sections.push(yield* stageSection(stage, track, aggregate.agents));
  }
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'"
        />
        ${live ? html`<meta http-equiv="refresh" content="${options.refreshSeconds ?? 0}" />` : nothing}
        <title>${run.name}: ${live ? 'running' : summary.outcome}</title>
        <style>
          ${new Markup(style)}
        </style>
      </head>
      <body>
        ${heading(summary, live)}
        ${live ? nothing : html`${thresholds(summary)} ${warnings(summary)}`}
        ${timelineSection(manifest, elapsedMs)} ${sections} ${linkSection(manifest, elapsedMs)}
        ${plan(manifest)}
      </body>
    </html>`;
  return `${page.text}\n`;
}

function heading(summary: Summary, live: boolean): Markup {
  const { run, coverage } = summary;
  const tone =
    summary.outcome === 'completed' ? 'good' : summary.outcome === 'partial' ? 'warn' : 'bad';
  const facts = [
    `${String(coverage.agents_completed)} of ${counted(coverage.agents_planned, 'agent')} completed`,
    run.mode === 'run' ? hostSeconds(coverage.host_seconds_ratio) : undefined,
    clock(run.elapsed_s),
    `began ${isoTime(run.started_unix_ms)}`,
    `seed ${String(run.seed)}`,
    `run ${run.id}`,
    `Muster ${run.version}`,
  ].filter((fact) => fact !== undefined);
  const verdict = live
    ? html`<span class="verdict warn">RUNNING</span>`
    : html`<span class="verdict ${tone}">${summary.outcome.toUpperCase()}</span> (exit code
        ${summary.exit_code})${summary.reason === null ? '' : `: ${summary.reason}`}`;
  return html`<h1>${run.name}</h1>
    <p>
      ${verdict}${!live && !summary.representative ? html` <span class="bad">NOT REPRESENTATIVE</span>` : nothing}
    </p>
    <p class="facts">${facts.join(' · ')}</p>
    ${prepareFact(summary).map((fact) => html`<p class="facts">${fact}</p>`)}`;
}

function thresholds({ expectations, stages }: Summary): Markup {
  // Of a run that did no work they say nothing.
  const worked = stages.some((stage) => stage.agents_started > 0);
  if (expectations.length === 0 || !worked) return nothing;
  return html`<h3>Thresholds</h3>
    <table>
      <tbody>
        ${expectations.map(
          (threshold) =>
            html`<tr>
              <th class="${threshold.passed ? 'good' : 'bad'}">
                ${threshold.passed ? 'ok' : 'FAILED'}
              </th>
              <td class="text">${threshold.text}</td>
              <td>measured ${measuredText(threshold)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

function warnings({ warnings: sentences }: Summary): Markup {
  if (sentences.length === 0) return nothing;
  return html`<h3 class="warn">Warnings</h3>
    <ul>
      ${sentences.map((sentence) => html`<li>${sentence}</li>`)}
    </ul>`;
}

function plan(manifest: ManifestDocument): Markup {
  return html`<section>
    <h2>Plan</h2>
    <details>
      <summary>The resolved plan, as it ran</summary>
      <pre>${JSON.stringify(manifest.plan, undefined, 2)}</pre>
    </details>
  </section>`;
}
