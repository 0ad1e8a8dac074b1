import { anyConfigTests } from '../support/fuzz/any-configs.js';

anyConfigTests(
  Number(process.env['MUSTER_CONFIGS'] ?? '300'),
  Number(process.env['MUSTER_FUZZ_SEED'] ?? '1000'),
);
