import type { EndPlan } from './ending.js';

/** Why the run leaves the agent; `byMs`: not later than this, whatever is still unacknowledged. */
export type Parting =
  | { readonly kind: 'goodbye'; readonly keep: boolean }
  | { readonly kind: 'ownerGone'; readonly why: string }
  | { readonly kind: 'stopped'; byMs: number | undefined };

export function releaseReason(parting: Parting | undefined): string {
  if (parting?.kind === 'stopped') return 'agent stopped by operator';
  return parting?.kind === 'ownerGone' ? parting.why : 'the run is over';
}

/** How a run ends that did not end by itself. */
export function stopped(reason: string): EndPlan {
  return {
    to: 'ABORTED',
    reason,
    error: { code: 'stopped', message: reason },
    endedBy: 'aborted',
  };
}
