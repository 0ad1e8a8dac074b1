import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import { checkImports, repositoryRoot, rulesFile } from './check-imports.js';

/** A tree of source files, each with the files and packages it imports. */
type Tree = Record<string, string[]>;

// For every rule a tree that breaks it and no other one. Files imported but not listed are empty.
const planted: Record<string, Tree> = {
  'controller-not-agent': { 'src/controller/shell/a.ts': ['src/agent/shell/b.ts'] },
  'agent-not-controller': { 'src/agent/shell/a.ts': ['src/controller/shell/b.ts'] },
  'shared-imports-neither': { 'src/shared/wire/a.ts': ['src/agent/shell/b.ts'] },
  'core-no-node-builtins': { 'src/agent/core/a.ts': ['node:fs'] },
  'core-no-packages': { 'src/shared/metrics/a.ts': ['zod'] },
  'model-only-zod': { 'src/shared/model/a.ts': ['yaml', 'zod'] },
  'core-not-shell': { 'src/controller/core/a.ts': ['src/controller/shell/b.ts'] },
  'system-clock-only-in-mains': {
    'src/agent/main.ts': ['src/shared/kernel/system-clock.ts'],
    'src/agent/shell/a.ts': ['src/shared/kernel/system-clock.ts'],
  },
  'only-mains-compose': { 'src/agent/shell/a.ts': ['src/agent/runner/main.ts'] },
  'grpc-only-in-wire': {
    'src/shared/wire/a.ts': ['@grpc/grpc-js'],
    'src/agent/shell/b.ts': ['@grpc/grpc-js'],
  },
  'cli-progress-only-in-view': { 'src/controller/shell/a.ts': ['cli-progress'] },
  'hdr-only-in-hlog': {
    'src/controller/shell/write-hlog.ts': ['hdr-histogram-js'],
    'src/controller/view/a.ts': ['hdr-histogram-js'],
  },
  'sdk-only-in-its-engine': {
    'src/agent/engines/s3.ts': ['typescript'],
    'src/agent/shell/a.ts': ['typescript'],
  },
  'engines-only-from-registry': {
    'src/agent/engines/registry.ts': ['src/agent/engines/file.ts'],
    'src/agent/shell/a.ts': ['src/agent/engines/file.ts', 'src/agent/engines/engine.ts'],
  },
  'engines-stand-alone': {
    'src/agent/engines/s3.ts': ['src/agent/engines/s3-keys.ts', 'src/agent/engines/file.ts'],
  },
  'no-circular': {
    'src/agent/core/a.ts': ['src/agent/core/b.ts'],
    'src/agent/core/b.ts': ['src/agent/core/a.ts'],
  },
  'no-orphans': { 'src/agent/shell/a.ts': [], 'src/agent/main.ts': [] },
  'no-dev-packages': { 'src/agent/engines/a.ts': ['fast-check'] },
  'no-test-code': { 'src/agent/shell/a.ts': ['test/support/b.ts'] },
  'no-unresolvable': { 'src/agent/shell/a.ts': ['./nowhere.js'] },
};

describe('the import rules', () => {
  let folder: string;
  before(async () => {
    // Below the repository, so that packages resolve. Here typescript plays the SDK of an engine.
    folder = await mkdtemp(path.join(repositoryRoot, 'dist/import-rules-'));
    const manifest = JSON.parse(await readFile(path.join(repositoryRoot, 'package.json'), 'utf8'));
    const dependencies = { ...manifest.dependencies, typescript: '*' };
    await writeFile(path.join(folder, 'package.json'), JSON.stringify({ dependencies }));
  });
  after(() => rm(folder, { recursive: true }));

  for (const [rule, tree] of Object.entries(planted)) {
    test(`${rule} reports a planted violation, and nothing else does`, async () => {
      const root = path.join(folder, rule);
      await write(root, tree);
      const { ok, brokenRules } = await checkImports(root);
      assert.equal(ok, false);
      assert.deepEqual([...new Set(brokenRules)], [rule]);
    });
  }

  test('each have a planted violation and say what to do instead', async () => {
    const { ruleSet } = await extractOptions(rulesFile);
    const rules = ruleSet?.forbidden ?? [];
    assert.deepEqual(rules.map(({ name }) => name).sort(), Object.keys(planted).sort());
    for (const { name, comment } of rules) assert.ok((comment ?? '').length > 40, name);
  });

  test('fail when there was nothing to check', async () => {
    const root = path.join(folder, 'nothing');
    await mkdir(path.join(root, 'src'), { recursive: true });
    const { ok, modules } = await checkImports(root);
    assert.deepEqual({ ok, modules }, { ok: false, modules: 0 });
  });

  test('count a type-only import', async () => {
    const root = path.join(folder, 'types');
    await write(root, {});
    await mkdir(path.join(root, 'src/controller/core'), { recursive: true });
    await writeFile(
      path.join(root, 'src/controller/core/a.ts'),
      `import type { Server } from '@grpc/grpc-js';\nexport type S = Server;\n`,
    );
    const { brokenRules } = await checkImports(root);
    assert.ok(brokenRules.includes('grpc-only-in-wire'), brokenRules.join());
  });

  test('hold for the source tree', async () => {
    const { ok, modules, report } = await checkImports(repositoryRoot);
    assert.ok(ok, report);
    assert.ok(modules > 0);
  });
});

async function write(root: string, tree: Tree): Promise<void> {
  await mkdir(root, { recursive: true });
  const all = { ...tree };
  for (const target of Object.values(tree).flat()) {
    if (/^(src|test)\//.test(target)) all[target] ??= [];
  }
  for (const [file, imports] of Object.entries(all)) {
    const lines = imports.map((target) => `import '${specifier(file, target)}';\n`);
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), `${lines.join('')}export {};\n`);
  }
}

function specifier(from: string, target: string): string {
  if (!/^(src|test)\//.test(target)) return target;
  const relative = path.relative(path.dirname(from), target).replace(/ts$/, 'js');
  return relative.startsWith('.') ? relative : `./${relative}`;
}
