/** [RPC-04] How long the turns of the programs' control loops are: see turn-watch.ts. */
import fs from 'node:fs';

/** The variable of the environment that names the file in which they are noted. */
export const turnsFile = 'MUSTER_TEST_TURNS';
export const longestTurnMs = 300;

const turnWatch = new URL('./turn-watch.js', import.meta.url).href;

export interface NotedTurn {
  readonly program: string;
  readonly argv: readonly string[];
  readonly pid: number;
  readonly longestMs: number;
}

/** The environment of a program whose turns are noted, if it says where; the test runner does for all. */
export function watchingTurns(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (!env[turnsFile] || env['NODE_OPTIONS']?.includes(turnWatch)) return env;
  const options = env['NODE_OPTIONS'] === undefined ? '' : `${env['NODE_OPTIONS']} `;
  return { ...env, NODE_OPTIONS: `${options}--import=${turnWatch}` };
}

/** The longest turn of each process; none when the file is not there. */
export function readTurns(file: string): readonly NotedTurn[] {
  if (!fs.existsSync(file)) return [];
  const turns = new Map<number, NotedTurn>();
  for (const line of fs.readFileSync(file, 'utf8').trimEnd().split('\n')) {
    const turn = JSON.parse(line) as NotedTurn;
    const longest = turns.get(turn.pid)?.longestMs ?? 0;
    if (turn.longestMs >= longest) turns.set(turn.pid, turn);
  }
  return [...turns.values()];
}
