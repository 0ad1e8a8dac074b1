/**
 * A client of an agent that shares no code with Muster: written from docs/protocol.md and agent.proto alone, with plain
 * grpc-js and proto-loader. What is missing on that page is missing here.
 */
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { ClientDuplexStream, GrpcObject, ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

const proto = fileURLToPath(new URL('../../../proto/muster/v1/agent.proto', import.meta.url));
const definition = loadSync(proto, {
  longs: String,
  enums: String,
  bytes: Buffer,
  defaults: true,
  oneofs: true,
});
const { Agent } = (loadPackageDefinition(definition)['muster'] as GrpcObject)['v1'] as {
  Agent: ServiceClientConstructor;
};

type Message = Record<string, unknown>;
const messageType = (name: string): MessageTypeDefinition<object, object> =>
  definition[`muster.v1.${name}`] as MessageTypeDefinition<object, object>;

interface WireFrame {
  readonly sequence: string;
  readonly reliable: string;
  readonly ack: string;
  readonly seen: string;
  readonly heard: string;
  readonly crc: number;
  readonly mac: Buffer;
  readonly encoding: string;
  readonly payload: Buffer;
}

const hmac = (key: Buffer, ...parts: (Buffer | string)[]): Buffer => {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
};

export class ForeignClient {
  readonly messages: Message[] = [];
  readonly #token: string;
  readonly #client: InstanceType<ServiceClientConstructor>;
  readonly #runId: string;
  #call: ClientDuplexStream<object, WireFrame> | undefined;
  #sequence = 0n;
  #reliable = 0n;
  #key: Buffer;
  #session = '';
  /** Highest sequence and reliable number that came from the agent. */
  #seen = 0n;
  #ack = 0n;
  #waiting: (() => void)[] = [];

  constructor(address: string, token: string, runId: string) {
    this.#token = token;
    this.#runId = runId;
    this.#client = new Agent(address, credentials.createInsecure());
    this.#key = this.#derive('handshake');
  }

  /** Steps 1 and 2. @returns the details */
  async hello(): Promise<Message> {
    const nonce = randomBytes(16);
    const first = await this.#sayHello({ protocol: 1, nonce });
    if (first['product'] !== 'muster' || first['protocol'] !== 1) throw new Error('not Muster');
    if (first['tokenRequired'] !== true) throw new Error('it has no token');
    const challenge = first['challenge'] as Buffer;
    const key = this.#derive('hello');
    const proof = hmac(key, 'caller', challenge, nonce);
    const second = await this.#sayHello({ protocol: 1, nonce, challenge, proof });
    const details = second['details'] as Buffer;
    const expected = hmac(key, 'agent', challenge, nonce, details);
    if (!timingSafeEqual(expected, second['mac'] as Buffer)) throw new Error('wrong mac');
    return messageType('HelloReply').deserialize(details) as Message;
  }

  /** Steps 3 to 5. */
  async open(): Promise<Message> {
    const nonce = randomBytes(16);
    const methods = this.#client as unknown as {
      Session(): ClientDuplexStream<object, WireFrame>;
    };
    this.#call = methods.Session();
    this.#call.on('data', (frame: WireFrame) => {
      this.#receive(frame);
    });
    this.#call.on('error', (error) => {
      this.messages.push({ kind: 'streamError', error });
      this.#wake();
    });
    const runId = this.#runId;
    const identity = 'somebody@elsewhere';
    const open = { protocol: 1, nonce, runId, secret: randomBytes(16).toString('hex'), identity };
    this.#write({ open: { ...open, generation: 1 } }, false);
    const { welcome } = (await this.message('welcome')) as { welcome: Message };
    const salt = Buffer.concat([nonce, welcome['nonce'] as Buffer]);
    const key = this.#derive('proof', salt);
    if (!timingSafeEqual(hmac(key, 'agent'), welcome['proof'] as Buffer)) {
      throw new Error('the agent proves nothing');
    }
    // The agent's first frame of the session may come as soon as it has Confirm.
    this.#write({ confirm: { proof: hmac(key, 'controller') } }, false);
    this.#key = this.#derive('stream', salt);
    this.#session = runId;
    return welcome;
  }

  send(payload: Message): void {
    this.#write(payload, true);
  }

  /** The first message of a kind, when it is there. */
  async message(kind: string, fits: (payload: Message) => boolean = () => true): Promise<Message> {
    for (;;) {
      const broken = this.messages.find((message) => message['kind'] === 'streamError');
      if (broken) throw new Error('the stream broke', { cause: broken['error'] });
      const found = this.messages.find(
        (message) => message['kind'] === kind && fits(message[kind] as Message),
      );
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  close(): void {
    this.#call?.end();
    this.#client.close();
  }

  #sayHello(request: object): Promise<Message> {
    const methods = this.#client as unknown as {
      Hello(request: object, reply: (error: Error | null, answer: Message) => void): void;
    };
    return new Promise((resolve, reject) => {
      methods.Hello(request, (error, answer) => {
        if (error) reject(error);
        else resolve(answer);
      });
    });
  }

  #derive(purpose: string, salt: Buffer = Buffer.alloc(0)): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#token, salt, `muster v1 ${purpose}`, 32));
  }

  #write(payload: Message, reliable: boolean): void {
    this.#sequence += 1n;
    if (reliable) this.#reliable += 1n;
    const inSession = this.#session !== '';
    const bytes = messageType('Payload').serialize(payload);
    const frame = {
      sequence: this.#sequence.toString(),
      reliable: (reliable ? this.#reliable : 0n).toString(),
      ack: (inSession ? this.#ack : 0n).toString(),
      seen: (inSession ? this.#seen : 0n).toString(),
      heard: '0',
      encoding: 'PLAIN',
      payload: bytes,
    };
    const covered = [this.#header(frame, 1), bytes];
    const crc = crc32(Buffer.concat(covered));
    this.#call?.write({ ...frame, crc, mac: hmac(this.#key, ...covered) });
  }

  #receive(frame: WireFrame): void {
    const covered = [this.#header(frame, 2), frame.payload];
    if (crc32(Buffer.concat(covered)) !== frame.crc) throw new Error('checksum');
    if (!timingSafeEqual(hmac(this.#key, ...covered), frame.mac)) throw new Error('mac');
    this.#seen = BigInt(frame.sequence);
    if (BigInt(frame.reliable) > this.#ack) this.#ack = BigInt(frame.reliable);
    if (frame.payload.length > 0) {
      this.messages.push(messageType('Payload').deserialize(frame.payload) as Message);
    }
    this.#wake();
  }

  #header(frame: Omit<WireFrame, 'crc' | 'mac'>, direction: number): Buffer {
    const session = Buffer.from(this.#session);
    const header = Buffer.alloc(44);
    const numbers = [frame.sequence, frame.reliable, frame.ack, frame.seen, frame.heard];
    for (const [index, number] of numbers.entries()) {
      header.writeBigUInt64LE(BigInt(number), 8 * index);
    }
    header.writeUInt8(frame.encoding === 'DEFLATE' ? 1 : 0, 40);
    header.writeUInt8(direction, 41);
    header.writeUInt16LE(session.length, 42);
    return Buffer.concat([header, session]);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
