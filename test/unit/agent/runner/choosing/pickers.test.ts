import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Permutation } from '../../../../../src/agent/runner/choosing/permutation.js';
import { pickerFor } from '../../../../../src/agent/runner/choosing/pick.js';
import type { PickerOptions } from '../../../../../src/agent/runner/choosing/pick.js';
import { Random } from '../../../../../src/agent/runner/choosing/random.js';
import { Zipf } from '../../../../../src/agent/runner/choosing/zipf.js';
import type { Access } from '../../../../../src/shared/model/plan.js';

const alone: Omit<PickerOptions, 'access'> = {
  seed: 42,
  stage: 1,
  slot: 0,
  agent: 0,
  sharers: 1,
  worker: 0,
  workers: 1,
};

function pick(
  access: Access,
  places: number,
  count: number,
  fields: Partial<PickerOptions> = {},
  placeBytes: number | 'files' = 4096,
): readonly number[] {
  const options = { ...alone, access, ...fields };
  const { seed, stage, agent, worker } = options;
  const random = new Random([seed, stage, agent, worker]);
  const bytes = placeBytes === 'files' ? undefined : placeBytes;
  const picker = pickerFor(options, random, places, bytes);
  return Array.from({ length: count }, () => picker.next());
}

/** How often each place came. */
function counted(picked: readonly number[], places: number): readonly number[] {
  const counts = new Array<number>(places).fill(0);
  for (const place of picked) {
    assert.ok(Number.isInteger(place) && place >= 0 && place < places, String(place));
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}

/** Neighbours of hot places are no hotter than others. */
function assertScattered(counts: readonly number[], hot: number): void {
  const places = counts.length;
  const order = counts.map((count, place) => ({ count, place })).sort((a, b) => b.count - a.count);
  const hottest = new Set(order.slice(0, hot).map(({ place }) => place));
  const pairs = [...hottest].filter((place) => hottest.has((place + 1) % places)).length;
  const expected = (hot * hot) / places;
  assert.ok(
    pairs < expected + 5 * Math.sqrt(expected) + 1,
    `${String(pairs)} pairs of neighbours among ${String(hot)} hot of ${String(places)}`,
  );
}

describe('Permutation', () => {
  it('maps every number below its size to another one, for any size', () => {
    for (const size of [1, 2, 3, 5, 16, 17, 255, 1000, 4097, 65_537]) {
      const permutation = new Permutation(size, [7, size]);
      const seen = new Set(Array.from({ length: size }, (_, i) => permutation.at(i)));
      assert.equal(seen.size, size);
      assert.ok([...seen].every((value) => value >= 0 && value < size));
    }
  });

  it('stays within sizes beyond 32 bits and repeats nothing', () => {
    for (const size of [2 ** 32 + 1, 2 ** 40 - 3, 2 ** 53]) {
      const permutation = new Permutation(size, [1]);
      const values = Array.from({ length: 10_000 }, (_, i) => permutation.at(size - 1 - i));
      assert.equal(new Set(values).size, values.length);
      assert.ok(values.every((value) => Number.isSafeInteger(value) && value < size));
      assert.ok(Math.max(...values) > size * 0.99 && Math.min(...values) < size * 0.01);
    }
  });

  it('has no order left: neighbours go far apart, whatever the key', () => {
    const size = 10_007;
    for (const key of [1, 2, 3]) {
      const permutation = new Permutation(size, [key]);
      let steps = 0;
      for (let i = 1; i < size; i++) steps += Math.abs(permutation.at(i) - permutation.at(i - 1));
      const mean = steps / (size - 1) / size;
      // Of two independent uniform numbers the distance is a third on average.
      assert.ok(Math.abs(mean - 1 / 3) < 0.02, String(mean));
    }
  });
});

describe('shuffled', () => {
  it('takes every block exactly once per pass, in another order each pass', () => {
    const places = 1000;
    const passes = pick('shuffled', places, 3 * places);
    const orders = [0, 1, 2].map((pass) => passes.slice(pass * places, (pass + 1) * places));
    for (const order of orders) {
      assert.ok(counted(order, places).every((count) => count === 1));
      assert.notDeepEqual(
        order,
        [...order].sort((a, b) => a - b),
      );
    }
    assert.notDeepEqual(orders[0], orders[1]);
    assert.notDeepEqual(orders[1], orders[2]);
  });

  it('divides a pass among all workers of all agents without gap or overlap', () => {
    const places = 997;
    const picked: number[] = [];
    for (let agent = 0; agent < 3; agent++) {
      for (let worker = 0; worker < 4; worker++) {
        const ofAgent = Math.floor(places / 3) + (agent < places % 3 ? 1 : 0);
        const own = Math.floor(ofAgent / 4) + (worker < ofAgent % 4 ? 1 : 0);
        picked.push(...pick('shuffled', places, own, { agent, sharers: 3, worker, workers: 4 }));
      }
    }
    assert.ok(counted(picked, places).every((count) => count === 1));
  });

  it('[MEAS-02] goes another way with another seed, stage or kind of operation', () => {
    const base = pick('shuffled', 1000, 50);
    assert.deepEqual(pick('shuffled', 1000, 50), base);
    for (const fields of [{ seed: 43 }, { stage: 2 }, { slot: 1 }]) {
      assert.notDeepEqual(pick('shuffled', 1000, 50, fields), base);
    }
  });
});

describe('zipf', () => {
  for (const [theta, places] of [
    ...[0.2, 0.99, 1, 1.000001, 1.1, 2.5].map((theta) => [theta, 1000] as const),
    // Nine of ten are beyond the table of the most popular ones: they are drawn by rejection-inversion.
    ...[0.2, 0.8, 1, 1.000001, 1.1].map((theta) => [theta, 160_000] as const),
  ]) {
    it(`[MEAS-02] follows the closed form for θ = ${String(theta)} over ${String(places)} places`, () => {
      const draws = 400_000;
      const scatter = new Permutation(places, [3]);
      const zipf = new Zipf(new Random([5]), places, theta, scatter);
      const rankOf = new Map(Array.from({ length: places }, (_, rank) => [scatter.at(rank), rank]));
      const counts = new Array<number>(places).fill(0);
      for (let i = 0; i < draws; i++) counts[rankOf.get(zipf.next()) ?? -1]! += 1;

      const weights = counts.map((_, rank) => (rank + 1) ** -theta);
      const sum = weights.reduce((a, b) => a + b, 0);
      // Ranks of which fewer than ten are expected are taken together.
      let [chiSquare, terms, restExpected, restFound] = [0, 0, 0, 0];
      weights.forEach((weight, rank) => {
        restExpected += (draws * weight) / sum;
        restFound += counts[rank] ?? 0;
        if (restExpected < 10) return;
        chiSquare += (restFound - restExpected) ** 2 / restExpected;
        terms++;
        [restExpected, restFound] = [0, 0];
      });
      assert.ok(terms > 50);
      // Mean: degrees of freedom; variance: twice as much.
      assert.ok(
        chiSquare < terms + 5 * Math.sqrt(2 * terms),
        `${String(chiSquare)} of ${String(terms)}`,
      );
      assert.ok(chiSquare > terms - 5 * Math.sqrt(2 * terms), 'too even to be random');
    });
  }

  for (const theta of [0.2, 0.8, 0.99, 1, 1.000001, 1.1, 1.5]) {
    it(`[MEAS-02] gives every doubling of the ranks its part of the closed form, for θ = ${String(theta)} over 2^30 places`, () => {
      // Few and large groups: they show what single ranks do not, that the most popular ones together get too much.
      const [places, draws] = [2 ** 30, 400_000];
      const asTheyAre = { at: (rank: number) => rank } as unknown as Permutation;
      const zipf = new Zipf(new Random([9]), places, theta, asTheyAre);
      const found = new Array<number>(30).fill(0);
      for (let i = 0; i < draws; i++) found[Math.floor(Math.log2(zipf.next() + 1))]! += 1;
      const upTo = (x: number): number =>
        theta === 1 ? Math.log(x) : x ** (1 - theta) / (1 - theta);
      const weights = found.map((_, doubling) => {
        const from = 2 ** doubling;
        // The integral over a rank's unit is the rank's weight, as nearly as 1 in 10^6 from a thousand on.
        if (from >= 1024) return upTo(2 * from - 0.5) - upTo(from - 0.5);
        return Array.from({ length: from }, (_each, i) => (from + i) ** -theta).reduce(
          (sum, weight) => sum + weight,
        );
      });
      const sum = weights.reduce((a, b) => a + b, 0);
      const terms = weights.flatMap((weight, doubling) => {
        const expected = (draws * weight) / sum;
        return expected < 10 ? [] : [((found[doubling] ?? 0) - expected) ** 2 / expected];
      });
      const chiSquare = terms.reduce((a, b) => a + b, 0);
      assert.ok(terms.length > 8);
      assert.ok(chiSquare < terms.length + 5 * Math.sqrt(2 * terms.length), String(chiSquare));
    });
  }

  it('spreads the popular blocks over the whole dataset, the same for all agents and stages', () => {
    const places = 10_000;
    const access = { zipf: 1 };
    assertScattered(counted(pick(access, places, 300_000), places), 200);
    const hottest = (fields: Partial<PickerOptions>): number => {
      const counts = counted(pick(access, places, 20_000, fields), places);
      return counts.indexOf(Math.max(...counts));
    };
    assert.equal(hottest({ agent: 1, sharers: 2 }), hottest({ stage: 2, worker: 3, workers: 4 }));
    assert.notEqual(hottest({ seed: 43 }), hottest({}));
  });

  it('is as steep as `access` says: the share of the most popular block is that of its θ', () => {
    const [places, draws] = [1000, 100_000];
    for (const theta of [0.5, 1.2]) {
      const most = Math.max(...counted(pick({ zipf: theta }, places, draws), places)) / draws;
      const sum = Array.from({ length: places }, (_, rank) => (rank + 1) ** -theta);
      const expected = 1 / sum.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(most / expected - 1) < 0.15, `θ ${String(theta)}: ${String(most)}`);
    }
  });

  it('works over one block, over two, and over more than 2^32', () => {
    assert.ok(pick({ zipf: 1 }, 1, 100).every((place) => place === 0));
    assert.equal(new Set(pick({ zipf: 1 }, 2, 100)).size, 2);
    const places = 2 ** 40;
    const picked = pick({ zipf: 0.9 }, places, 10_000);
    assert.ok(picked.every((place) => Number.isInteger(place) && place >= 0 && place < places));
    assert.ok(Math.max(...picked) > places * 0.9);
  });
});

describe('hotspot', () => {
  it('gives the hot share of the blocks its share of the operations, evenly', () => {
    const places = 10_000;
    const draws = 500_000;
    for (const [data, operations] of [
      [0.2, 0.8],
      [0.05, 0.95],
      [0.5, 0.1],
    ] as const) {
      const counts = counted(pick({ hotspot: { data, operations } }, places, draws), places);
      const hot = places * data;
      const eachHot = (draws * operations) / hot;
      const eachCold = (draws * (1 - operations)) / (places - hot);
      const middle = Math.sqrt(eachHot * eachCold);
      const isHot = (count: number): boolean =>
        eachHot > eachCold ? count > middle : count < middle;
      const found = counts.filter(isHot);
      assert.ok(Math.abs(found.length / places - data) < 0.02, `${String(found.length)} hot`);
      const share = found.reduce((a, b) => a + b, 0) / draws;
      assert.ok(Math.abs(share - operations) < 0.02, `${String(share)} of the operations`);
    }
  });

  it('spreads the hot blocks over the whole dataset', () => {
    const counts = counted(
      pick({ hotspot: { data: 0.02, operations: 0.9 } }, 10_000, 200_000),
      10_000,
    );
    assertScattered(counts, 200);
  });

  it('is even when all blocks are hot, and has at least one hot block', () => {
    const all = counted(pick({ hotspot: { data: 1, operations: 0.5 } }, 100, 50_000), 100);
    assert.ok(Math.min(...all) > 350 && Math.max(...all) < 650);
    const one = counted(pick({ hotspot: { data: 0.001, operations: 0.9 } }, 100, 10_000), 100);
    assert.ok(Math.max(...one) > 8500);
  });
});

describe('strided', () => {
  const block = 4096;

  it('lets the workers of all agents take turns, chunk by chunk, and covers every block once', () => {
    const places = 96;
    const chunkBytes = 2 * block;
    const picked: number[] = [];
    for (let agent = 0; agent < 2; agent++) {
      for (let worker = 0; worker < 3; worker++) {
        const fields = { agent, sharers: 2, worker, workers: 3 };
        const own = pick({ strided: { chunkBytes } }, places, 17, fields);
        const start = (agent + 2 * worker) * 2;
        assert.deepEqual(own.slice(0, 5), [start, start + 1, start + 12, start + 13, start + 24]);
        assert.equal(own[16], start, 'and from the start again');
        picked.push(...own.slice(0, 16));
      }
    }
    assert.ok(counted(picked, places).every((count) => count === 1));
  });

  it('comes out even although agents have different numbers of threads', () => {
    const places = 60;
    const picked = [
      ...pick({ strided: {} }, places, 10, { agent: 0, sharers: 2, worker: 0, workers: 3 }),
      ...pick({ strided: {} }, places, 10, { agent: 0, sharers: 2, worker: 1, workers: 3 }),
      ...pick({ strided: {} }, places, 10, { agent: 0, sharers: 2, worker: 2, workers: 3 }),
      ...pick({ strided: {} }, places, 30, { agent: 1, sharers: 2, worker: 0, workers: 1 }),
    ];
    assert.ok(counted(picked, places).every((count) => count === 1));
  });

  it('with a stride takes a chunk of every stride in the worker’s own part', () => {
    const access = { strided: { chunkBytes: 2 * block, strideBytes: 5 * block } };
    assert.deepEqual(pick(access, 20, 9), [0, 1, 5, 6, 10, 11, 15, 16, 0]);
    const second = pick(access, 20, 5, { worker: 1, workers: 2 });
    assert.deepEqual(second, [10, 11, 15, 16, 10]);
  });

  it('cuts a chunk at the end, and takes turns file by file for whole files', () => {
    assert.deepEqual(pick({ strided: { chunkBytes: 4 * block } }, 6, 7), [0, 1, 2, 3, 4, 5, 0]);
    const files = { worker: 1, workers: 2 };
    assert.deepEqual(
      pick({ strided: { chunkBytes: 4 * block } }, 6, 4, files, 'files'),
      [1, 3, 5, 1],
    );
    const strides = { chunkBytes: 4 * block, strideBytes: 8 * block };
    assert.deepEqual(pick({ strided: strides }, 6, 4, files, 'files'), [1, 3, 5, 1]);
  });
});

it('more workers than blocks: every one has something to do', () => {
  for (const access of ['sequential', 'shuffled', { strided: {} }] as const) {
    const firsts = Array.from({ length: 8 }, (_, worker) => {
      const picked = pick(access, 3, 10, { worker, workers: 8 });
      assert.equal(picked.length, 10);
      return picked[0]!;
    });
    const times = counted(firsts, 3);
    assert.ok(
      times.every((count) => count > 0 && count < 5),
      `${JSON.stringify(access)}: ${times.join(' ')}`,
    );
  }
});

for (const access of ['sequential', 'shuffled', { strided: {} }] as const) {
  it(`whatever its number, an agent with files of its own goes over all of them: ${JSON.stringify(access)}`, () => {
    for (const agent of [0, 1, 7]) {
      assert.deepEqual(counted(pick(access, 12, 12, { agent }, 'files'), 12), Array(12).fill(1));
    }
  });
}
