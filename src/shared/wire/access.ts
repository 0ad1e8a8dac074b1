import type { Token } from './auth.js';

/** Certificates and keys in PEM, as read from files. */
export interface TlsMaterial {
  /** Whose certificates are trusted. On an agent: then every controller needs one. */
  readonly ca?: Buffer | undefined;
  /** Own certificate, with the chain up to the authority if that is not in `ca`. */
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** How a program proves itself to the other one. Neither: anybody can talk to it. */
export interface Access {
  readonly token?: Token | undefined;
  readonly tls?: TlsMaterial | undefined;
}
