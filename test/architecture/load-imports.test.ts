import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const imported = /(?:from|import)\s*\(?\s*'([^']+)'/g;
const importedAtOnce = /(?:from|import)\s*'([^']+)'/g;

/** Everything that a compiled module loads, directly or through others: files as URLs, packages by name. */
function reach(entry: URL, how = imported): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file; file = waiting.pop()) {
    if (seen.has(file.href)) continue;
    seen.add(file.href);
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(how)) {
      if (name.startsWith('.')) waiting.push(new URL(name, file));
      else seen.add(name);
    }
  }
  return seen;
}

const network = /^(node:)?(net|tls|dgram|http|https|http2|dns)$|^@grpc\/|\/shared\/wire\//;

function onTheNetwork(module: string): string[] {
  return [...reach(new URL(`../../src/${module}`, import.meta.url))].filter((name) =>
    network.test(name),
  );
}

test('[RPC-02] neither the workers nor the runner load anything that could reach the network', () => {
  assert.deepEqual(onTheNetwork('agent/runner/worker.js'), []);
  assert.deepEqual(onTheNetwork('agent/runner/main.js'), []);
});

test('[PERF-09] workers do not load zod, which would cost each of them 60 ms of CPU time', () => {
  const worker = new URL('../../src/agent/runner/worker.js', import.meta.url);
  assert.equal(reach(worker, importedAtOnce).has('zod'), false);
  assert.equal(reach(worker).has('zod'), true);
});

test('[RPC-02] the check finds the link where it belongs: in the control process', () => {
  assert.notDeepEqual(onTheNetwork('agent/main.js'), []);
});
