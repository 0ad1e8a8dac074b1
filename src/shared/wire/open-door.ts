/** Whether a link is open to anybody, in a sentence. */
import type { Access } from './access.js';
import { counted } from '../kernel/counted.js';

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/i;

export function isLoopback(host: string): boolean {
  return loopback.test(host);
}

const advice = 'use --token-file, and --tls-* where others can listen (docs/security.md)';

/** What an agent that listens on `host` should say at its start; undefined: nothing. */
export function openAgentWarning(host: string, { token, tls }: Access): string | undefined {
  if (isLoopback(host) || token || tls?.ca) return undefined;
  const how = tls
    ? 'without a token, and without asking for certificates'
    : 'without token and TLS';
  return `Listening ${how}: whoever reaches this port can run load on this host; ${advice}`;
}

/** What a controller that dials these hosts should say; undefined: nothing. */
export function openControllerWarning(
  hosts: readonly string[],
  { token, tls }: Access,
): string | undefined {
  const open = hosts.filter((host) => !isLoopback(host)).length;
  if (open === 0 || token || tls) return undefined;
  const agents = counted(open, 'agent is', 'agents are');
  return `${agents} reached without token and TLS: others in that network can listen and interfere; ${advice}`;
}
