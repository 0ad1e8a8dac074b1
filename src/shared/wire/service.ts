import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import type { ChannelOptions, MethodDefinition } from '@grpc/grpc-js';
import { agentServiceDefinition } from './schema.js';

// What grpc-js prints on stderr by itself is neither a sentence nor in the log's format; we report every error it gives.
// GRPC_VERBOSITY turns it on for those who hunt a bug there.
if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE);

/**
 * Largest message taken from the network, in bytes. An agent gets chunks of 16 KiB and an Open, before it knows from
 * whom; a controller also gets intervals with every operation and full histograms, which stay below 1 MiB.
 */
export const mostMessageBytes = { agent: 1024 * 1024, controller: 8 * 1024 * 1024 } as const;

export const channelOptions: ChannelOptions = {
  // An http_proxy variable must not break a run in a LAN.
  'grpc.enable_http_proxy': 0,
  // A frame is written once: what to write again is decided by acknowledgements.
  'grpc.enable_retries': 0,
  // Otherwise written messages are kept for a retry and backpressure is not real.
  'grpc.per_rpc_retry_buffer_size': 0,
  // A new generation gets a new connection, not the one that just failed.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.max_receive_message_length': mostMessageBytes.controller,
  // Within the connect deadline an agent that is just starting should be found quickly.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
};

export const serverOptions: ChannelOptions = {
  // A controller has one session and a Hello now and then on a connection.
  'grpc.max_concurrent_streams': 16,
  // Who has nothing going on gives its place to others.
  'grpc.max_connection_idle_ms': 30_000,
  'grpc.max_receive_message_length': mostMessageBytes.agent,
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
