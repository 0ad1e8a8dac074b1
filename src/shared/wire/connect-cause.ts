import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import type { DialFailure } from './dial-error.js';
import { tlsCause } from './tls-cause.js';

export interface ConnectCause {
  readonly code: DialFailure;
  /** Ends the sentence "Agent x unreachable: …". */
  readonly text: string;
  readonly hint?: string;
  /** Waiting will not change it. */
  readonly final: boolean;
}

const anotherProgram =
  'Another program has that port; look there with `ss -ltnp`, or use another --listen port.';

/** Reads the cause out of the error of a call that could not be made; grpc-js has it only in words. */
export function connectCause({ code, details }: ServiceError, usesTls: boolean): ConnectCause {
  if (code === status.UNAVAILABLE) return unavailable(details, usesTls);
  if (code === status.UNIMPLEMENTED || code === status.UNKNOWN) {
    return stranger(`something else answers there (${details})`);
  }
  return { code: 'network', text: details, final: false };
}

function unavailable(details: string, usesTls: boolean): ConnectCause {
  const dns = /Name resolution failed for target dns:(.*)$/.exec(details);
  if (dns) {
    const text = `the name ${nameOf(dns[1] ?? '')} does not resolve (DNS)`;
    return { code: 'dns', text, hint: 'Check the name, or use an IP address.', final: false };
  }
  const last = /Last error: (?:Error: )?(.*?)\s*(?:\([^()]*Z\))?\. Resolution note:/s.exec(details);
  const reason = last?.[1] ?? details;
  const system = /\b(E[A-Z]{4,})\b/.exec(reason)?.[1];
  switch (system) {
    case 'ECONNREFUSED':
      return {
        code: 'refused',
        text: 'connection refused',
        hint: 'Is bench-agent running there, on that port?',
        final: false,
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return { code: 'network', text: `no route to the host (${system})`, final: false };
    default:
      break;
  }
  const tls = usesTls ? tlsCause(reason) : undefined;
  if (tls !== undefined) return { code: 'tls', text: tls, final: true };
  if (/Protocol error/i.test(reason)) {
    return stranger('something that does not speak gRPC answers there');
  }
  // A peer that refuses a certificate may end the connection before its alert was read.
  const isCut = system === 'ECONNRESET' || system === 'EPIPE';
  if (isCut || reason.startsWith('Failed to connect')) {
    const guess = usesTls
      ? "The agent's log says whether it refuses this controller's certificate."
      : 'Does that agent use TLS? Then --tls-ca is needed here.';
    const text = 'the connection was closed before it was ready';
    return { code: 'network', text, hint: guess, final: false };
  }
  return { code: 'network', text: reason, final: false };
}

function stranger(text: string): ConnectCause {
  return { code: 'stranger', text, hint: anotherProgram, final: true };
}

function nameOf(target: string): string {
  return target.replace(/:\d+$/, '');
}
