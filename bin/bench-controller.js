#!/usr/bin/env node
import { existsSync } from 'node:fs';

// Tests plant faults in single modules: then these are loaded, and not the bundle of them (rolldown.config.js).
const built = process.env.MUSTER_TEST_MODULES
  ? 'src/controller/main.js'
  : 'bundle/agent/runner/bench-controller.js';
const program = new URL(`../dist/${built}`, import.meta.url);
if (existsSync(program)) {
  const { main } = await import(program.href);
  // A disk that hangs must not keep the process: what it was to say has been said.
  process.exit(await main(process));
} else {
  process.stderr.write('bench-controller is not built yet: run `npm run build` first.\n');
  process.exitCode = 70;
}
