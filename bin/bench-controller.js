#!/usr/bin/env node
import { existsSync } from 'node:fs';

const program = new URL('../dist/src/controller/main.js', import.meta.url);
if (existsSync(program)) {
  const { main } = await import(program.href);
  // A disk that hangs must not keep the process: what it was to say has been said.
  process.exit(await main(process));
} else {
  process.stderr.write('bench-controller is not built yet: run `npm run build` first.\n');
  process.exitCode = 70;
}
