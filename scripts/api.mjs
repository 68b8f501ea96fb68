// The public API as text, one file per entry of each package (packages/*/api): every export, and
// every type of ours that one can reach from it, as the .d.ts files have them. What changes there
// is seen in a diff. Without --write it only compares, and fails where they differ.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const isWriting = process.argv.includes('--write');
const printer = ts.createPrinter({ removeComments: true });
function snapshot(folder) {
  const { name, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const entries = Object.entries(exports).filter(([, target]) => typeof target === 'object');
  const files = entries.map(([, target]) => join(folder, target.types.default));
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023, skipLibCheck: true, types: [],
  });
  const checker = program.getTypeChecker();
  const paths = entries.map(([path]) => join(name, path));
  const exported = files.map((file) => exportsOf(program, checker, file));
  // A symbol is told of where it is exported first, by the order of the entries.
  const homes = new Map();
  exported.forEach((symbols, i) => {
    for (const symbol of symbols.keys()) if (!homes.has(symbol)) homes.set(symbol, paths[i]);
  });
  const texts = new Map(entries.map(([path], i) => [
    `${path === '.' ? 'index' : basename(path)}.txt`,
    apiOf({ checker, path: paths[i], exported: exported[i], homes, folder }),
  ]));
  return compared(join(folder, 'api'), texts);
}

function compared(folder, texts) {
  const kept = existsSync(folder) ? readdirSync(folder) : [];
  const gone = kept.filter((file) => !texts.has(file));
  const changed = [...texts].filter(([file, text]) =>
    !kept.includes(file) || readFileSync(join(folder, file), 'utf8') !== text);
  if (isWriting) {
    mkdirSync(folder, { recursive: true });
    for (const file of gone) rmSync(join(folder, file));
    for (const [file, text] of changed) writeFileSync(join(folder, file), text);
  }
  return [...gone, ...changed.map(([file]) => file)].map((file) => relative(root, join(folder, file)));
}

function exportsOf(program, checker, file) {
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`${file} is not built. Run: npm run build`);
  return new Map(checker.getExportsOfModule(checker.getSymbolAtLocation(source))
    .map((symbol) => [declared(symbol, checker), symbol.name]));
}

const declared = (symbol, checker) =>
  (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);

function apiOf({ checker, path, exported, homes, folder }) {
  const elsewhere = [...exported].filter(([symbol]) => homes.get(symbol) !== path)
    .map(([symbol, name]) => `${name} (${homes.get(symbol)})`).sort();
  const texts = new Map();
  const queue = [...exported.keys()].filter((symbol) => homes.get(symbol) === path);
  for (let symbol = queue.pop(); symbol !== undefined; symbol = queue.pop()) {
    if (texts.has(symbol) || (homes.get(symbol) ?? path) !== path) continue;
    if (symbol.flags & ts.SymbolFlags.Module) {
      const members = checker.getExportsOfModule(symbol);
      const names = members.map(({ name }) => `    ${name};`).sort().join('\n');
      texts.set(symbol, `export namespace ${exported.get(symbol)} {\n${names}\n}`);
      queue.push(...members.map((member) => declared(member, checker)));
      continue;
    }
    const nodes = (symbol.declarations ?? []).map(statementOf).filter((node) => isOurs(node, folder));
    if (nodes.length === 0) continue;
    const text = nodes.map((node) => printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile())).join('\n');
    texts.set(symbol, `${exported.has(symbol) ? '' : '// reached, not exported\n'}${renamed(symbol, exported)}${text}`);
    for (const node of nodes) queue.push(...mentioned(node, checker).map((found) => declared(found, checker)));
  }
  const also = elsewhere.length === 0 ? [] : [`// as in another entry: ${elsewhere.join(', ')}`];
  return `${[path, ...also, ...[...texts.values()].sort(byText)].join('\n\n')}\n`;
}

/** The whole statement: of a variable, the `const` too. */
function statementOf(node) {
  return ts.isVariableDeclaration(node) ? node.parent.parent : node;
}

const isOurs = (node, folder) =>
  node.getSourceFile().fileName.startsWith(join(folder, 'dist'))
    && node.parent !== undefined && ts.isSourceFile(node.parent);

/** Apps do not construct our classes: what a constructor wants is ours alone. */
function mentioned(node, checker, found = []) {
  if (ts.isConstructorDeclaration(node)) return found;
  if (ts.isIdentifier(node)) {
    const symbol = checker.getSymbolAtLocation(node);
    // `import('./other.js').Name`: the module is no type, the name is found beside it.
    if (symbol !== undefined && !(declared(symbol, checker).flags & ts.SymbolFlags.Module)) found.push(symbol);
  }
  ts.forEachChild(node, (child) => { mentioned(child, checker, found); });
  return found;
}

const renamed = (symbol, exported) => {
  const name = exported.get(symbol);
  return name === undefined || name === symbol.name ? '' : `// exported as ${name}\n`;
};

/** Exports first, then by name. */
function byText(a, b) {
  const [left, right] = [a, b].map((text) => `${text.startsWith('// reached') ? 1 : 0}${/(?:class|interface|type|const|function|namespace) (\w+)/.exec(text)?.[1]}${text}`);
  return left < right ? -1 : left > right ? 1 : 0;
}

const differing = ['sdk', 'server'].flatMap((name) => snapshot(join(root, 'packages', name)));
if (differing.length > 0 && !isWriting) {
  console.error(`The public API is not as committed: ${differing.join(', ')}. If that is meant: npm run api`);
  process.exit(1);
}
console.log(differing.length === 0 ? 'the public API is as committed' : `written: ${differing.join(', ')}`);
