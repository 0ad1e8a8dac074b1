import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engines, parseTarget } from '../../../../src/agent/engines/registry.js';
import { engineCapabilities, engineNames } from '../../../../src/shared/model/engines.js';
import { parseTarget as parseInModel } from '../../../../src/shared/model/target.js';

test('[ENG-02] what the controller believes of the engines is what the registry has', () => {
  assert.deepEqual(
    engines.map((engine) => ({
      name: engine.name,
      operations: [...engine.supports].sort(),
      stores: engine.needsDataset,
    })),
    engineNames.map((name) => ({
      name,
      operations: [...engineCapabilities[name].operations].sort(),
      stores: engineCapabilities[name].stores,
    })),
  );
});

test('[ENG-02] a target selects the same engine in the controller and in the agent', () => {
  for (const text of ['/mnt/bench', 'file:///mnt/bench', 'null:', 's3://bucket']) {
    const agent = parseTarget(text);
    const controller = parseInModel(text);
    assert.equal(
      'problem' in controller ? undefined : controller.engine,
      typeof agent === 'string' ? undefined : agent.engine.name,
      text,
    );
  }
});
