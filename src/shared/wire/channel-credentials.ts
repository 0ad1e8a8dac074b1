import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import type { ChannelCredentials, ChannelOptions, VerifyOptions } from '@grpc/grpc-js';
import type { TlsMaterial } from './access.js';

/** How a controller's channel to `host` is secured. The agent's certificate must name the host as the address does. */
export function channelCredentials(
  tls: TlsMaterial | undefined,
  host: string,
): { readonly credentials: ChannelCredentials; readonly options: ChannelOptions } {
  if (!tls) return { credentials: credentials.createInsecure(), options: {} };
  const { ca = null, cert = null, key = null } = tls;
  const verify: VerifyOptions = {
    checkServerIdentity: (_name, peer) => checkServerIdentity(host, peer),
  };
  const secure = credentials.createSsl(ca, key, cert, verify);
  // An IP address may not be sent as the TLS server name (RFC 6066); what the certificate must name stays the address.
  const options = isIP(host) === 0 ? {} : { 'grpc.ssl_target_name_override': 'muster-agent' };
  return { credentials: secure, options };
}
