/** OpenSSL's words in ours. */
import type { TLSSocket } from 'node:tls';
import { codeOf, reasonOf } from '../kernel/errors.js';

const certificateProblems: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet (is a clock wrong?)',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'was signed by nobody but itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'was issued by another authority',
  UNABLE_TO_GET_ISSUER_CERT: 'was issued by another authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'was issued by another authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'was issued by another authority',
  CERT_SIGNATURE_FAILURE: 'was issued by another authority of the same name',
  INVALID_PURPOSE: 'is not for this purpose (extended key usage)',
};

/** Why a TLS handshake failed on the agent. */
export function tlsProblem(error: Error, socket: Pick<TLSSocket, 'authorizationError'>): string {
  const code = codeOf(error) ?? '';
  // Typed as an Error, and is the code of one; null when the certificate is not what was wrong.
  const verdict = socket.authorizationError as unknown;
  if (typeof verdict === 'string') {
    return `its certificate ${certificateProblems[verdict] ?? 'is not accepted'} (${verdict})`;
  }
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') {
    return 'it has no certificate, and this agent wants one (--tls-ca)';
  }
  if (/WRONG_VERSION_NUMBER|HTTP_REQUEST|UNKNOWN_PROTOCOL|PACKET_LENGTH_TOO_LONG/.test(code)) {
    return 'it does not speak TLS';
  }
  const alert = /alert ([a-z ]+)/.exec(error.message)?.[1];
  if (alert !== undefined) return `it ended the TLS handshake: ${alert}`;
  if (code === 'ECONNRESET') {
    return "it left during the TLS handshake (it may not trust this agent's certificate)";
  }
  return `TLS failed: ${reasonOf(error)}`;
}

/** What the controller sees, in OpenSSL's and Node's words. */
const seenByController: readonly (readonly [RegExp, string])[] = [
  [/certificate has expired/, 'its certificate has expired'],
  [/certificate is not yet valid/, 'its certificate is not valid yet (is a clock wrong?)'],
  [
    /self.signed certificate|unable to (?:verify the first|get (?:local )?issuer)/,
    'its certificate was issued by an authority that this controller does not trust (--tls-ca)',
  ],
  [
    /alert certificate required|peer did not return/,
    'it wants a certificate from this controller (--tls-cert and --tls-key)',
  ],
  [
    /wrong version number|packet length too long/i,
    'it does not use TLS, and this controller does (--tls-cert and --tls-key of bench-agent)',
  ],
];

/** Follows the agent's address; undefined: something else than TLS went wrong. */
export function tlsCause(reason: string): string | undefined {
  const names = /does not match certificate's altnames: (.*)/.exec(reason)?.[1];
  if (names !== undefined) {
    // Without a subject alternative name of the kind, OpenSSL's list is empty.
    const why = names.replace(/list:\s*$/u, 'list, which is empty');
    return `its certificate does not name the address that it was dialled by: ${why}`;
  }
  const known = seenByController.find(([pattern]) => pattern.test(reason))?.[1];
  if (known !== undefined) return known;
  const alert = /alert ([a-z ]+)/.exec(reason)?.[1];
  return alert === undefined
    ? undefined
    : `it ended the TLS handshake, and its log says why: ${alert.trim()}`;
}
