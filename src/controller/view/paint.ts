/** Colours of a terminal, or none. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly dim: (text: string) => string;
}

const plain = (text: string): string => text;
const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    text === '' ? '' : `\x1b[${String(on)}m${text}\x1b[${String(off)}m`;

export const noPaint: Paint = { good: plain, warn: plain, bad: plain, strong: plain, dim: plain };

export const colours: Paint = {
  good: sgr(32, 39),
  warn: sgr(33, 39),
  bad: sgr(31, 39),
  strong: sgr(1, 22),
  dim: sgr(2, 22),
};

/** Colours only on a terminal that wants them: NO_COLOR (no-color.org), TERM=dumb and --no-color say no. */
export function paintFor(
  output: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
  noColor: boolean,
): Paint {
  const refused = noColor || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return output.isTTY === true && !refused ? colours : noPaint;
}
