import type { AgentMessage, ControllerMessage, MessageKind } from '../model/messages.js';
import type { Direction } from './frame.js';

type HandshakeKind = 'open' | 'confirm' | 'welcome' | 'refused';

/** Kinds an endpoint hands to its application; those of the handshake travel before there is one, naks stay inside. */
type Delivered<M extends { readonly kind: MessageKind }> = Exclude<
  M['kind'],
  HandshakeKind | 'nak'
>;

// Records, so that a new kind cannot be forgotten.
const toAgent: Readonly<Record<Delivered<ControllerMessage>, true>> = {
  ping: true,
  pong: true,
  goodbye: true,
  lease: true,
  probe: true,
  prepare: true,
  start: true,
  go: true,
  share: true,
  abort: true,
  cleanup: true,
  fetch: true,
  fetched: true,
};

const toController: Readonly<Record<Delivered<AgentMessage>, true>> = {
  ping: true,
  pong: true,
  goodbye: true,
  heartbeat: true,
  probeReply: true,
  state: true,
  progress: true,
  target: true,
  marked: true,
  ready: true,
  armed: true,
  missed: true,
  started: true,
  interval: true,
  stageResult: true,
  cleaned: true,
  checked: true,
  final: true,
  error: true,
  log: true,
  linkReport: true,
  checkpoint: true,
};

const kindsOf = (table: Partial<Record<MessageKind, true>>): ReadonlySet<MessageKind> =>
  new Set(Object.keys(table) as MessageKind[]);

export const kindsToward: Readonly<Record<Direction, ReadonlySet<MessageKind>>> = {
  toAgent: kindsOf(toAgent),
  toController: kindsOf(toController),
};
