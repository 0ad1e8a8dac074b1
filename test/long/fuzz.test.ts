import { fuzzTests } from '../support/fuzz/suite.js';

fuzzTests(
  Number(process.env['MUSTER_FUZZ_FRAMES'] ?? '1000000'),
  Number(process.env['MUSTER_FUZZ_SEED'] ?? '1000'),
);
