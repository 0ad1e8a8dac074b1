import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { codeOf, MusterError, reasonOf } from '../kernel/errors.js';
import { exitCodes } from '../model/outcome.js';
import type { Access, TlsMaterial } from './access.js';
import { Token } from './auth.js';

/** 128 bits in hexadecimal: whoever hears a handshake can try tokens against it as fast as his computers allow. */
const leastTokenLength = 32;
const mostTokenLength = 1024;
const fewestDifferent = 8;

const readableByOthers = 0o007;
const writableByGroup = 0o020;

export interface TlsPaths {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface AccessSources {
  /** `--token-file`. */
  readonly tokenFile?: string | undefined;
  /** BENCH_TOKEN; the file goes before it. */
  readonly environmentToken?: string | undefined;
  readonly tls?: TlsPaths | undefined;
}

/** Reads token, certificates and keys. @throws MusterError (exit 2) naming the file and what is wrong with it */
export async function readAccess(sources: AccessSources): Promise<Access> {
  const { tokenFile, environmentToken, tls } = sources;
  let token: Token | undefined;
  if (tokenFile !== undefined) {
    const secret = await readSecret(tokenFile, '--token-file');
    token = parseToken(secret.toString('utf8'), tokenFile);
  } else if (environmentToken !== undefined) {
    token = parseToken(environmentToken, 'BENCH_TOKEN');
  }
  return { token, tls: await readTls(tls ?? {}) };
}

function parseToken(text: string, where: string): Token {
  const token = text.trim();
  const hint = `Make one with \`openssl rand -hex 32 > token; chmod 600 token\`, the same on all hosts.`;
  if (token === '') throw usage(`${where}: the token is empty`, hint);
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw usage(`${where}: a token is one line of printable ASCII without spaces`, hint);
  }
  if (token.length < leastTokenLength) {
    throw usage(
      `${where}: the token has ${token.length} characters, at least ${leastTokenLength} are needed`,
      hint,
    );
  }
  if (token.length > mostTokenLength) {
    throw usage(`${where}: the token is longer than ${mostTokenLength} characters`, hint);
  }
  if (new Set(token).size < fewestDifferent) {
    throw usage(
      `${where}: the token has fewer than ${fewestDifferent} different characters, it is easily guessed`,
      hint,
    );
  }
  return new Token(token);
}

async function readTls({ ca, cert, key }: TlsPaths): Promise<TlsMaterial | undefined> {
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw usage(
      `A TLS ${given} needs its ${missing}: give both`,
      `Add --tls-${missing} (in the config: tls.${missing}).`,
    );
  }
  if (ca === undefined && cert === undefined) return undefined;
  const material = {
    ca: ca === undefined ? undefined : await readCertificate(ca, '--tls-ca'),
    cert: cert === undefined ? undefined : await readCertificate(cert, '--tls-cert'),
    key: key === undefined ? undefined : await readSecret(key, '--tls-key'),
  };
  try {
    createSecureContext(material);
  } catch (error) {
    const files = [cert, key, ca].filter((file) => file !== undefined).join(', ');
    throw usage(
      `Cannot use ${files} for TLS: ${opensslReason(error)}`,
      'Certificate and key must belong together, both in PEM, the key without a passphrase.',
      error,
    );
  }
  return material;
}

async function readCertificate(file: string, flag: string): Promise<Buffer> {
  const bytes = await read(file, flag);
  try {
    new X509Certificate(bytes);
  } catch (error) {
    throw usage(
      `${file} is not a certificate`,
      'It must be in PEM: -----BEGIN CERTIFICATE-----',
      error,
    );
  }
  return bytes;
}

/** Refuses what other users of the host can read, or change; the group may read. */
async function readSecret(file: string, flag: string): Promise<Buffer> {
  const bytes = await read(file, flag);
  const { mode } = await stat(file);
  if ((mode & (readableByOthers | writableByGroup)) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(3, '0');
    throw usage(
      `${file} is a secret, and other users of this host have access to it (mode ${octal})`,
      `chmod 600 ${file}`,
    );
  }
  return bytes;
}

async function read(file: string, flag: string): Promise<Buffer> {
  // An unset variable of a script, mostly.
  if (file === '') throw usage(`${flag}: the name of the file is empty`, 'Name a file.');
  try {
    return await readFile(file);
  } catch (error) {
    throw usage(
      `Cannot read ${file}: ${whyUnreadable(error)}`,
      'Check the path and its permissions.',
      error,
    );
  }
}

function whyUnreadable(error: unknown): string {
  const code = codeOf(error);
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder';
  return reasonOf(error);
}

/** `error:05800074:x509 certificate routines::key values mismatch` → `key values mismatch` */
function opensslReason(error: unknown): string {
  return reasonOf(error).replace(/^error:[0-9A-F]+:[^:]*:[^:]*:/i, '');
}

function usage(message: string, hint: string, cause?: unknown): MusterError {
  return new MusterError(message, { exitCode: exitCodes.usage, hint, cause });
}
