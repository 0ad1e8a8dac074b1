// The import rules of docs/architecture.md. Each rule says in its comment what to do instead, and
// each has a planted violation in test/architecture/import-rules.test.ts.

// What decides, and the contracts it decides about: no I/O, no clock, no randomness.
const PURE = [
  '^src/(agent|controller)/core/',
  '^src/shared/(kernel|model|metrics)/',
  // The endpoint itself is deterministic, but packs and checks bytes with node:zlib and the proto codec.
  '^src/shared/wire/(ack-timer|acknowledgements|bulk-credit|held-ranges|lanes|link-metrics|merge-intervals|sequence-tracker)[.]ts$',
  '^src/agent/runner/protocol[.]ts$',
];
const SYSTEM_CLOCK = '^src/shared/kernel/system-clock[.]ts$';
const MODEL = '^src/shared/model/';
const ENGINE_CONTRACT = '^src/agent/engines/engine[.]ts$';
const ENGINE_REGISTRY = '^src/agent/engines/registry[.]ts$';
const MAINS = ['^src/(agent|controller)/main[.]ts$', '^src/agent/runner/(main|worker)[.]ts$'];
// Every package but the SDKs, which belong to one engine each.
const GENERAL_PACKAGES =
  'node_modules/(@grpc/(grpc-js|proto-loader)|cli-progress|@types/cli-progress|commander|hdr-histogram-js|p-limit|yaml|zod)/';

const npm = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'controller-not-agent',
      severity: 'error',
      comment:
        'The controller and the agent are two programs. Put what both need in src/shared, or send it in a message; start an agent as a process.',
      from: { path: '^src/controller/' },
      to: { path: '^src/agent/' },
    },
    {
      name: 'agent-not-controller',
      severity: 'error',
      comment:
        'The agent runs without a controller on its host. Put what both need in src/shared, or send it in a message.',
      from: { path: '^src/agent/' },
      to: { path: '^src/controller/' },
    },
    {
      name: 'shared-imports-neither',
      severity: 'error',
      comment:
        'Shared code serves both programs and knows neither. Pass the value or the function in, or move the file to the program that needs it.',
      from: { path: '^src/shared/' },
      to: { path: '^src/(agent|controller)/' },
    },
    {
      name: 'core-no-node-builtins',
      severity: 'error',
      comment:
        'A core decides and does no I/O. Return an effect and let a shell carry it out, or take the value as an input.',
      from: { path: PURE, pathNot: SYSTEM_CLOCK },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'core-no-packages',
      severity: 'error',
      comment:
        'A core imports no package (zod in src/shared/model apart). Take a plain value or a function instead, and let a shell or a view use the package.',
      from: { path: PURE, pathNot: [SYSTEM_CLOCK, MODEL] },
      to: { dependencyTypes: npm },
    },
    {
      name: 'model-only-zod',
      severity: 'error',
      comment:
        'The model describes data; zod is the only package it may use. Parse and read files in a shell.',
      from: { path: MODEL },
      to: { dependencyTypes: npm, pathNot: 'node_modules/zod/' },
    },
    {
      name: 'core-not-shell',
      severity: 'error',
      comment:
        'A core knows cores, the model, metrics and the kernel, nothing that acts or shows. Return an effect, or take a Clock or a function as an input.',
      from: { path: PURE, pathNot: SYSTEM_CLOCK },
      to: { path: '^src/', pathNot: PURE },
    },
    {
      name: 'system-clock-only-in-mains',
      severity: 'error',
      comment:
        'Take a Clock as a parameter: the main hands the real one down, a test hands a manual one.',
      from: { path: '^src/', pathNot: MAINS },
      to: { path: SYSTEM_CLOCK },
    },
    {
      name: 'only-mains-compose',
      severity: 'error',
      comment:
        'A main is where a program starts and its parts are joined; nothing imports it. Move what you need out of it, or start it as a process or a thread.',
      from: { path: '^src/' },
      to: { path: MAINS },
    },
    {
      name: 'grpc-only-in-wire',
      severity: 'error',
      comment:
        'Only src/shared/wire knows gRPC. Use its duplex (async iterable in, async iterable out) and its status mapping.',
      from: { path: '^src/', pathNot: '^src/shared/wire/' },
      to: { path: 'node_modules/(@grpc|protobufjs)/' },
    },
    {
      name: 'cli-progress-only-in-view',
      severity: 'error',
      comment: 'Only src/controller/view draws. Give the view the numbers and let it show them.',
      from: { path: '^src/', pathNot: '^src/controller/view/' },
      to: { path: 'node_modules/(@types/)?cli-progress/' },
    },
    {
      name: 'hdr-only-in-hlog',
      severity: 'error',
      comment:
        'Our histogram is src/shared/metrics/histogram. hdr-histogram-js only writes the .hlog, in one file under src/controller/shell named for it.',
      from: {
        path: '^src/',
        pathNot: '^src/controller/shell/[^/]*(hlog|hdr|histogram)[^/]*[.]ts$',
      },
      to: { path: 'node_modules/hdr-histogram-js/' },
    },
    {
      name: 'sdk-only-in-its-engine',
      severity: 'error',
      comment:
        'A storage SDK is used by its engine and nobody else. If this package is no SDK, add it to GENERAL_PACKAGES in .dependency-cruiser.cjs.',
      from: { path: '^src/', pathNot: '^src/agent/engines/' },
      to: { dependencyTypes: npm, pathNot: GENERAL_PACKAGES },
    },
    {
      name: 'engines-only-from-registry',
      severity: 'error',
      comment:
        'Ask src/agent/engines/registry for an engine by its name, and use it through the contract in engine.ts.',
      from: { path: '^src/', pathNot: '^src/agent/engines/' },
      to: { path: '^src/agent/engines/', pathNot: [ENGINE_CONTRACT, ENGINE_REGISTRY] },
    },
    {
      name: 'engines-stand-alone',
      severity: 'error',
      comment:
        'An engine is its own file (file.ts) or files (file-*.ts, file/) and the contract in engine.ts. It knows neither the registry nor another engine.',
      from: { path: '^src/agent/engines/([^/.-]+)', pathNot: ENGINE_REGISTRY },
      to: {
        path: '^src/agent/engines/',
        pathNot: [ENGINE_CONTRACT, '^src/agent/engines/$1[./-]'],
      },
    },
    {
      name: 'no-circular',
      severity: 'error',
      comment:
        'Two files that need each other are one file, or share a third. Types count: move the shared type to the lower file.',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'Nothing imports this file and it imports nothing: use it or delete it.',
      // The shifted clock is preloaded into a program (--import), not imported.
      from: { orphan: true, path: '^src/', pathNot: [...MAINS, '/rehearsal/shifted-clock[.]ts$'] },
      to: {},
    },
    {
      name: 'no-dev-packages',
      severity: 'error',
      comment:
        'What runs in production belongs in `dependencies`. A package that only tests need stays out of src.',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'no-test-code',
      severity: 'error',
      comment: 'Product code does not know its tests. Move what both need into src.',
      from: { path: '^src/' },
      to: { path: '^test/' },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      comment:
        'This import leads nowhere, so no rule can see where it goes: correct the path (./x.js for x.ts) or add the package.',
      from: { path: '^src/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    skipAnalysisNotInRules: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['main', 'types'],
    },
  },
};
