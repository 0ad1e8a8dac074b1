import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Interrupts } from '../../../../src/controller/shell/interrupts.js';
import { atNextTurn } from '../../../support/lane-load.js';

type Signal = 'SIGINT' | 'SIGTERM';

function interrupts(): { interrupts: Interrupts; signal: (name: Signal) => void; off: number } {
  const made = {
    off: 0,
    signal: (_name: Signal): void => undefined,
    interrupts: undefined as unknown as Interrupts,
  };
  made.interrupts = new Interrupts({
    onSignal(listener) {
      made.signal = listener;
      return () => {
        made.off += 1;
      };
    },
  });
  return made;
}

async function isOver(promise: Promise<void>): Promise<boolean> {
  return Promise.race([
    promise.then(() => true),
    new Promise<boolean>((no) => atNextTurn(no, false)),
  ]);
}

test('[RUN-09] a signal that comes before anybody listens is not lost', () => {
  const made = interrupts();
  made.signal('SIGTERM');
  assert.ok(made.interrupts.signal.aborted);
  const heard: Signal[] = [];
  made.interrupts.onFirst((signal) => heard.push(signal));
  assert.deepEqual(heard, ['SIGTERM']);
});

test('[RUN-09] the first signal goes to the run, the second to its quick end, the third ends all waiting', async () => {
  const made = interrupts();
  const heard: string[] = [];
  made.interrupts.onFirst((signal) => heard.push(signal));
  made.interrupts.onSecond = () => heard.push('second');
  made.signal('SIGINT');
  assert.deepEqual(heard, ['SIGINT']);
  made.signal('SIGINT');
  assert.deepEqual(heard, ['SIGINT', 'second']);
  assert.equal(await isOver(made.interrupts.atOnce), false);
  made.signal('SIGINT');
  assert.equal(await isOver(made.interrupts.atOnce), true);
  assert.deepEqual(heard, ['SIGINT', 'second']);
});

test('[RUN-09] where nothing has begun that could end quickly, the second signal ends all waiting', async () => {
  const made = interrupts();
  made.signal('SIGINT');
  assert.equal(await isOver(made.interrupts.atOnce), false);
  made.signal('SIGINT');
  assert.equal(await isOver(made.interrupts.atOnce), true);
});

test('after off no signal is listened to', () => {
  const made = interrupts();
  made.interrupts.off();
  assert.equal(made.off, 1);
});
