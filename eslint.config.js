import tseslint from 'typescript-eslint';

/** Every cast says why the compiler cannot know: `// reason:` on its line or the line above the statement. */
const castWithReason = {
  meta: { type: 'problem', messages: { reason: 'A cast needs a `// reason:` on its line or just above.' } },
  create(context) {
    const lines = context.sourceCode.lines;
    const explained = (line) => {
      for (let at = line; at >= Math.max(1, line - 3); at--) {
        if (/reason:/.test(lines[at - 1] ?? '')) return true;
      }
      return false;
    };
    const check = (node) => {
      const type = node.typeAnnotation;
      const isConst = type?.type === 'TSTypeReference' && type.typeName?.name === 'const';
      if (!isConst && !explained(node.loc.start.line) && !explained(node.loc.end.line)) {
        context.report({ node, messageId: 'reason' });
      }
    };
    return { TSAsExpression: check, TSTypeAssertion: check };
  },
};

/** Each example of docs and code stays findable: no junk-drawer file names. */
const honestFileName = {
  meta: { type: 'problem', messages: { name: 'Name the file for its one idea, not "{{name}}".' } },
  create(context) {
    const name = context.filename.replace(/^.*\//, '').replace(/\.tsx?$/, '');
    const junk = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'types', 'manager', 'impl', 'misc']);
    return { Program: (node) => junk.has(name) && context.report({ node, messageId: 'name', data: { name } }) };
  },
};

const house = { rules: { 'cast-with-reason': castWithReason, 'honest-file-name': honestFileName } };

const pureFolders = [
  'packages/sdk/src/{model,protocol,replica}/**/*.ts',
  'packages/server/src/{node,space,feed,log,paxos,cluster}/**/*.ts',
];
const tests = ['**/*.test.ts', '**/*.test-d.ts', '**/testing/**', 'test/**'];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/dist-app/**', '**/node_modules/**', '**/.tmp/**'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    plugins: { house },
    rules: {
      'house/honest-file-name': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'no-console': 'error',
      'max-params': ['error', 4],
    },
  },
  {
    files: ['packages/**/*.{ts,tsx}'],
    ignores: tests,
    rules: {
      'house/cast-with-reason': 'error',
      'max-len': ['error', { code: 100, comments: 100, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true }],
      'max-lines': ['error', 600],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: pureFolders,
    ignores: tests,
    rules: {
      'no-restricted-globals': ['error', 'Promise', 'Intl', 'WeakRef', 'FinalizationRegistry', 'performance', 'queueMicrotask', 'setTimeout', 'setInterval', 'fetch', 'crypto', 'process'],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Chance comes from the seeded generator that the machine is given.' },
        { object: 'Date', property: 'now', message: 'Time is an input.' },
        { property: 'toLocaleString', message: 'Depends on the locale.' },
        { property: 'localeCompare', message: 'Depends on the locale.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'Time is an input.' },
        { selector: 'AwaitExpression', message: 'A machine never waits.' },
        { selector: ':function[async=true]', message: 'A machine never waits.' },
      ],
      'no-restricted-imports': ['error', { patterns: ['node:*'] }],
    },
  },
  { files: ['packages/server/src/cli/**', 'test/**/cli.ts', 'test/bench/**'], rules: { 'no-console': 'off' } },
  {
    files: tests,
    rules: {
      'max-params': 'off',
      // Of comments only: a test may show what it expects in one line.
      'max-len': ['error', { code: 10_000, comments: 100, ignoreUrls: true }],
    },
  },
);
