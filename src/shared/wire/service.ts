import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import type { ChannelOptions, MethodDefinition } from '@grpc/grpc-js';
import { protocolVersion } from '../model/messages.js';
import type { HelloReply } from '../model/messages.js';
import { agentServiceDefinition, DecodeError, schemaOf } from './schema.js';

// What grpc-js prints on stderr by itself is neither a sentence nor in the log's format; we report every error it gives.
// GRPC_VERBOSITY turns it on for those who hunt a bug there.
if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE);

/** Largest message taken from the network, in bytes. */
const mostMessageBytes = 64 * 1024 * 1024;

export const channelOptions: ChannelOptions = {
  // An http_proxy variable must not break a run in a LAN.
  'grpc.enable_http_proxy': 0,
  // A frame is written once: what to write again is decided by acknowledgements.
  'grpc.enable_retries': 0,
  // Otherwise written messages are kept for a retry and backpressure is not real.
  'grpc.per_rpc_retry_buffer_size': 0,
  // A new generation gets a new connection, not the one that just failed.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.max_receive_message_length': mostMessageBytes,
  // Within the connect deadline an agent that is just starting should be found quickly.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
};

export const serverOptions: ChannelOptions = {
  // Two agents must never share a port unnoticed.
  'grpc.so_reuseport': 0,
  'grpc.max_receive_message_length': mostMessageBytes,
};

type RawMethod = MethodDefinition<Buffer, Buffer>;

/** Bytes in, bytes out: a message that cannot be decoded must not end the call. */
function raw(method: RawMethod): RawMethod {
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    ...method,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

export const helloMethod = raw(agentServiceDefinition['Hello'] as RawMethod);
export const sessionMethod = raw(agentServiceDefinition['Session'] as RawMethod);

export const product = 'muster';

export function encodeHelloRequest(): Buffer {
  return schemaOf('HelloRequest').serialize({ protocol: protocolVersion });
}

export function encodeHelloReply(reply: HelloReply): Buffer {
  const schema = schemaOf('HelloReply');
  return schema.serialize(schema.toWire({ ...reply }));
}

/** @throws DecodeError when it is not an agent's answer; `product` and `protocol` are for the caller to judge */
export function decodeHelloReply(bytes: Uint8Array): HelloReply {
  const schema = schemaOf('HelloReply');
  const untrusted = schema.deserialize(bytes);
  if (untrusted['product'] !== product) {
    const name = JSON.stringify(untrusted['product']);
    throw new DecodeError(`it says it is ${name}, not ${JSON.stringify(product)}`);
  }
  return schema.fromWire(untrusted) as unknown as HelloReply;
}
