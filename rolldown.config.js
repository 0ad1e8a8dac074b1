/**
 * The two programs, the workload process and its threads, each in few files: Node takes a third of a second to load the
 * three hundred of `dist/src` and of the libraries, and a run starts many processes. All files are in one folder, as
 * deep as the modules that find others by their own place.
 */
const compiled = 'dist/src';

export default {
  input: {
    'bench-agent': `${compiled}/agent/main.js`,
    'bench-controller': `${compiled}/controller/main.js`,
    main: `${compiled}/agent/runner/main.js`,
    worker: `${compiled}/agent/runner/worker.js`,
    watchdog: `${compiled}/agent/runner/watchdog.js`,
    'shifted-clock': `${compiled}/controller/shell/rehearsal/shifted-clock.js`,
  },
  platform: 'node',
  // It asks for zlib in a way that only a module of CommonJS may.
  external: ['hdr-histogram-js'],
  logLevel: 'warn',
  output: {
    dir: 'dist/bundle/agent/runner',
    cleanDir: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  },
};
