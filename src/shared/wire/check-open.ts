import { protocolVersion } from '../model/messages.js';
import type { ControllerMessage } from '../model/messages.js';
import { nonceBytes } from './auth.js';

type Open = Extract<ControllerMessage, { kind: 'open' }>;

const mostHeld = 100_000;

/** Letters that can stand in a log line or a file name. */
const name = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const printable = /^[^\p{Cc}\p{Cf}]{1,256}$/u;

/** @returns what is wrong, naming the field as agent.proto does */
export function checkOpen(open: Open, tokenInUse: boolean): string | undefined {
  if (open.protocol !== protocolVersion) {
    return `this agent speaks protocol ${protocolVersion}, the controller ${open.protocol}`;
  }
  const { runId, secret, identity, generation, held, nonce, fetch = '' } = open;
  if (!name.test(runId)) return 'Open.run_id: not 1 to 128 letters, digits, ".", "_" or "-"';
  if (!printable.test(secret)) return 'Open.secret: not 1 to 256 printable characters';
  if (!printable.test(identity)) return 'Open.identity: not 1 to 256 printable characters';
  if (fetch !== '' && !name.test(fetch)) return 'Open.fetch: not the id of an agent process';
  if (generation === 0) return 'Open.generation: counts from 1';
  if (held.length > mostHeld) return `Open.held: more than ${mostHeld} ranges`;
  if (tokenInUse && nonce.length !== nonceBytes) {
    return `Open.nonce: ${nonce.length} bytes instead of ${nonceBytes}`;
  }
  return undefined;
}
