/** The direction of imports: nothing ever points the other way, types included. */
const pure = '^packages/(sdk/src/(model|protocol|replica)|server/src/(node|space|feed|log|paxos|cluster))/';
const test = '(\\.test\\.ts|\\.test-d\\.ts|/testing/)';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: { pathNot: test }, to: { circular: true } },
    {
      name: 'protocol-stands-alone', severity: 'error',
      from: { path: '^packages/sdk/src/protocol/', pathNot: test },
      to: { pathNot: '^packages/sdk/src/protocol/' },
    },
    {
      name: 'model-knows-only-the-protocol-words', severity: 'error',
      from: { path: '^packages/sdk/src/model/', pathNot: test },
      to: { path: '^packages/', pathNot: '^packages/sdk/src/(model|protocol)/' },
    },
    {
      name: 'replica-knows-model-and-protocol', severity: 'error',
      from: { path: '^packages/sdk/src/replica/', pathNot: test },
      to: { path: '^packages/', pathNot: '^packages/sdk/src/(replica|model|protocol)/' },
    },
    {
      name: 'drivers-decide-nothing', severity: 'error',
      from: { path: '^packages/sdk/src/drivers/', pathNot: test },
      to: { path: '^packages/', pathNot: '^packages/sdk/src/(drivers|protocol)/' },
    },
    {
      name: 'bindings-are-leaves', severity: 'error',
      from: { path: '^packages/sdk/src/', pathNot: `^packages/sdk/src/(react|tanstack|inspector)/|${test}` },
      to: { path: '^packages/sdk/src/(react|tanstack|inspector)/' },
    },
    {
      name: 'bindings-stand-on-the-public-side', severity: 'error',
      from: { path: '^packages/sdk/src/(react|tanstack)/', pathNot: test },
      to: { path: '^packages/sdk/src/drivers/' },
    },
    {
      name: 'sdk-never-imports-server', severity: 'error',
      from: { path: '^packages/sdk/' }, to: { path: '^packages/(server|examples)/' },
    },
    {
      name: 'server-uses-model-and-protocol-only', severity: 'error',
      from: { path: '^packages/server/', pathNot: test },
      to: { path: '^packages/(sdk/src/(?!(model|protocol)/index\\.ts|model/guard\\.ts)|examples/)' },
    },
    {
      name: 'log-knows-nothing-of-spaces', severity: 'error',
      from: { path: '^packages/server/src/log/', pathNot: test },
      to: { path: '^packages/server/src/(?!(log|paxos)/)' },
    },
    {
      name: 'paxos-carries-bytes', severity: 'error',
      from: { path: '^packages/server/src/paxos/', pathNot: test },
      to: { path: '^packages/', pathNot: '^packages/(server/src/paxos/|sdk/src/protocol/)' },
    },
    {
      name: 'server-machines-never-touch-the-world', severity: 'error',
      from: { path: '^packages/server/src/(node|space|feed|log|paxos|cluster)/', pathNot: test },
      to: { path: '^packages/server/src/(drivers|host|cli)/' },
    },
    {
      name: 'examples-use-package-entries', severity: 'error',
      from: { path: '^packages/examples/' },
      to: { path: '^packages/(sdk|server)/src/(?!(index|node|model/index|protocol/index|react/index|tanstack/index|inspector/index)\\.ts)' },
    },
    { name: 'pure-has-no-node', severity: 'error', from: { path: pure, pathNot: test }, to: { dependencyTypes: ['core'] } },
    { name: 'sources-never-import-tests', severity: 'error', from: { path: '^packages/', pathNot: test }, to: { path: `^test/|${test}` } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(/dist/|/dist-app/)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.test.json' },
    enhancedResolveOptions: { conditionNames: ['oxbow-source', 'import', 'require', 'node', 'default', 'types'], exportsFields: ['exports'] },
  },
};
