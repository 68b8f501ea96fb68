/**
 * etcd's own load generator, for a load that costs more than what it measures says nothing. It is
 * not packaged: it is built once from Debian's source package with Debian's Go packages. Where that
 * cannot be done, the caller is told and leaves etcd's figures out.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const SOURCES = 'deb-src http://deb.debian.org/debian bookworm main\n';

/** Path of the tool, built in `scratch` if need be; undefined where it cannot be built. */
export function etcdBenchmark(scratch: string): string | undefined {
  const tool = join(scratch, 'etcd-benchmark');
  if (existsSync(tool)) return tool;
  try {
    build(join(scratch, 'etcd-source'), tool);
    return tool;
  } catch (error) {
    console.error(`etcd's benchmark could not be built: ${String(error).slice(0, 400)}`);
    return undefined;
  }
}

function build(folder: string, tool: string): void {
  const library = goLibrary();
  mkdirSync(folder, { recursive: true });
  const source = fetchSource(folder);
  const gopath = join(folder, 'gopath');
  rmSync(gopath, { recursive: true, force: true });
  mkdirSync(join(gopath, 'src'), { recursive: true });
  run('cp', ['-rs', `${library}/.`, join(gopath, 'src')]);
  const place = join(gopath, 'src/go.etcd.io/etcd/tools/benchmark');
  cpSync(join(source, 'tools/benchmark'), place, { recursive: true });
  execFileSync('go', ['build', '-o', tool, '.'], {
    cwd: place, stdio: 'pipe', env: { ...process.env, GO111MODULE: 'off', GOPATH: gopath },
  });
}

/** Where Debian puts the sources of Go packages. */
function goLibrary(): string {
  const files = run('dpkg', ['-L', 'golang-etcd-server-dev']).split('\n');
  const found = files.find((file) => file.endsWith('/src/go.etcd.io'));
  if (found === undefined) throw new Error('golang-etcd-server-dev holds no sources');
  return dirname(found);
}

/** Debian's source package, fetched with lists of our own: the machine's are left as they are. */
function fetchSource(folder: string): string {
  const list = join(folder, 'sources.list');
  const lists = join(folder, 'lists');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  mkdirSync(join(folder, 'cache/archives/partial'), { recursive: true });
  writeFileSync(list, SOURCES);
  const options = [
    `Dir::Etc::sourcelist=${list}`, 'Dir::Etc::sourceparts=-', `Dir::State::lists=${lists}`,
    `Dir::Cache=${join(folder, 'cache')}`,
  ].flatMap((option) => ['-o', option]);
  execFileSync('apt-get', [...options, 'update'], { cwd: folder, stdio: 'pipe' });
  const fetch = [...options, 'source', '--download-only', 'etcd'];
  execFileSync('apt-get', fetch, { cwd: folder, stdio: 'pipe' });
  const archive = readdirSync(folder).find((name) => name.endsWith('.orig.tar.gz'));
  if (archive === undefined) throw new Error('the source package has no archive');
  execFileSync('tar', ['xzf', archive], { cwd: folder, stdio: 'pipe' });
  const unpacked = readdirSync(folder).find((name) => /^etcd-\d/.test(name));
  if (unpacked === undefined) throw new Error('the archive has another shape');
  return join(folder, unpacked);
}

const run = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { stdio: 'pipe' }).toString();
