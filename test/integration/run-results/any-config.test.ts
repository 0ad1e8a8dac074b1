import { anyConfigTests } from '../../support/fuzz/any-configs.js';

anyConfigTests(5, 1);
