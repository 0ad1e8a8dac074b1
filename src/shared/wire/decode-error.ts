/** What arrived is not what agent.proto describes; the message says what is wrong with it. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}
