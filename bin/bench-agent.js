#!/usr/bin/env node
import { existsSync } from 'node:fs';

// Tests plant faults in single modules: then these are loaded, and not the bundle of them (rolldown.config.js).
const built = process.env.MUSTER_TEST_MODULES
  ? 'src/agent/main.js'
  : 'bundle/agent/runner/bench-agent.js';
const program = new URL(`../dist/${built}`, import.meta.url);
if (existsSync(program)) {
  const { main } = await import(program.href);
  process.exitCode = await main(process);
} else {
  process.stderr.write('bench-agent is not built yet: run `npm run build` first.\n');
  process.exitCode = 70;
}
