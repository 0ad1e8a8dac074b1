/**
 * Agents inside the controller have `embedded:1`, `embedded:2` … for an address until they have been started; whoever
 * starts them replaces that field of the plan by the loopback address they listen on.
 */
export function embeddedAddress(ordinal: number): string {
  return `embedded:${String(ordinal)}`;
}

export function isEmbedded(address: string): boolean {
  return /^embedded:\d+$/.test(address);
}
