import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { exampleConfig } from '../../../src/controller/commands/example-config.js';
import { configReference } from '../../../src/shared/model/config/reference.js';
import { planOf } from '../../support/example-plan.js';

const docs = join(import.meta.dirname, '../../../../docs');

test('[CONF-04] docs/config.md is what the schema says; `npm run docs:config` writes it', () => {
  assert.equal(readFileSync(join(docs, 'config.md'), 'utf8'), configReference());
});

const examples = readdirSync(join(docs, 'examples')).filter((name) =>
  /\.(?:ya?ml|json)$/.test(name),
);

test('there are examples', () => {
  assert(examples.length >= 5);
});

for (const name of examples) {
  test(`the example docs/examples/${name} is valid, without a warning`, () => {
    const text = readFileSync(join(docs, 'examples', name), 'utf8');
    const { warnings } = planOf(text, { file: name, env: { BENCH_HOST: 'node1' } });
    assert.deepEqual(warnings, []);
  });
}

test('what `init` writes is valid, without a warning', () => {
  assert.deepEqual(planOf(exampleConfig).warnings, []);
});

/** The `yaml` blocks of all pages that are whole configs. */
const blocks = readdirSync(docs, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .flatMap((name) =>
    [...readFileSync(join(docs, name), 'utf8').matchAll(/^```ya?ml\n(.*?)^```$/gms)].map(
      ([, text = '']) => ({ name, text }),
    ),
  )
  .filter(({ text }) => /^stages:/m.test(text));

for (const { name, text } of blocks) {
  test(`a config shown in docs/${name} is valid`, () => {
    planOf(text);
  });
}
