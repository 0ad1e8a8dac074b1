/**
 * Certificates for tests, made here: node:crypto can sign but not write X.509, and neither openssl in the build machine nor
 * keys in the repository are wanted for it. RFC 5280 as far as a test needs it: version 3, ECDSA P-256 with SHA-256.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface CertificateOptions {
  readonly name: string;
  /** Days from now; negative: expired. */
  readonly days?: number;
  /** Of the host it is for, in the place of this one's. */
  readonly host?: string;
}

export interface Authority extends Certificate {
  /** A certificate for 127.0.0.1, ::1 and localhost, good for a server and a client. */
  issue(options: CertificateOptions): Certificate;
}

const dayMs = 86_400_000;

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 128) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const octets = (content: Uint8Array): Buffer => der(0x04, content);
const bits = (content: Uint8Array): Buffer => der(0x03, Buffer.from([0]), content);
const yes = der(0x01, Buffer.from([0xff]));

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));

function subject(name: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))));
}

/** UTCTime, which ends in 2049. */
function instant(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '');
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [yes] : []), octets(value));
}

const authorityExtensions = [
  extension('551d13', true, sequence(yes)),
  // keyCertSign, cRLSign
  extension('551d0f', true, der(0x03, Buffer.from([0x01, 0x06]))),
];

const thisHost = [
  der(0x82, Buffer.from('localhost')),
  der(0x87, Buffer.from([127, 0, 0, 1])),
  der(0x87, Buffer.from([...Array<number>(15).fill(0), 1])),
];

function leafExtensions(host: string | undefined): readonly Buffer[] {
  const names = host === undefined ? thisHost : [der(0x82, Buffer.from(host))];
  return [
    extension('551d13', true, sequence()),
    // serverAuth, clientAuth
    extension('551d25', false, sequence(oid('2b06010505070301'), oid('2b06010505070302'))),
    extension('551d11', false, sequence(...names)),
  ];
}

interface Signed extends CertificateOptions {
  readonly publicKey: KeyObject;
  readonly issuer: string;
  readonly issuerKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

function certificate(options: Signed): Buffer {
  const { name, days = 3650, publicKey, issuer, issuerKey, extensions } = options;
  const now = Date.now();
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    subject(issuer),
    sequence(instant(now + Math.min(days, 0) * dayMs - dayMs), instant(now + days * dayMs)),
    subject(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  return sequence(body, ecdsaWithSha256, bits(sign('sha256', body, issuerKey)));
}

function pem(bytes: Buffer): Buffer {
  const lines = bytes
    .toString('base64')
    .replaceAll(/(.{64})/g, '$1\n')
    .trimEnd();
  return Buffer.from(`-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`);
}

function keyPair(): {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  readonly key: Buffer;
} {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  return { publicKey, privateKey, key };
}

export function makeAuthority(name: string): Authority {
  const own = keyPair();
  const signed = { issuer: name, issuerKey: own.privateKey };
  const root = { name, publicKey: own.publicKey, extensions: authorityExtensions };
  return {
    cert: pem(certificate({ ...root, ...signed })),
    key: own.key,
    issue: (options) => {
      const leaf = keyPair();
      const { publicKey } = leaf;
      const cert = certificate({
        ...options,
        publicKey,
        ...signed,
        extensions: leafExtensions(options.host),
      });
      return { cert: pem(cert), key: leaf.key };
    },
  };
}
