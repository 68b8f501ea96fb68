/**
 * Plays a script of two nodes, a who offers and b who fetches, on virtual time, and writes down
 * every message and what happens to b's store. Lines that begin with `>` are the script; all others
 * are what followed.
 */
import { MemoryDisk, MemoryStore } from '../../drivers/testing/memory-store.js';
import { StateTravel } from '../../host/state-travel.js';
import { transferLimits } from '../limits.js';
import { decodeStateMessage, type StateMessage } from '../state-message.js';
import type { StateStore } from '../state-store.js';
import { entry, put, space } from './store-calls.js';

const LIMITS = { ...transferLimits, chunkBytes: 300, chunksInFlightMax: 2 };
const CLUSTER = 'K1';
const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];

interface Event {
  readonly at: number;
  readonly run: () => void;
}

class Bench {
  readonly lines: string[] = [];
  readonly #nodes = new Map<Name, { disk: MemoryDisk; travel: StateTravel; run: number }>();
  #events: Event[] = [];
  #now = 0;
  #cuts = new Set<Name>();
  #damageNext = false;
  /** Messages left until the link is cut; undefined: it holds. */
  #cutAfter: number | undefined;
  #storeMs = 1;

  constructor() {
    for (const name of NAMES) this.#start(name, new MemoryDisk({ history: 'own', keptEntriesMax: 3 }), 1);
  }

  command(words: readonly string[]): void {
    const [verb = '', first = '', second = ''] = words;
    const name = first as Name;
    const node = this.#nodes.get(name);
    switch (verb) {
      case 'fill': return this.#fill(name, Number(second));
      case 'fetch': return node?.travel.fetch(second, Number(words[3]));
      case 'wait': return this.#run(this.#now + Number(first));
      case 'cut-after': this.#cutAfter = Number(first); return;
      case 'cut': return this.#cut(name);
      case 'link': return this.#link(name);
      case 'restart': return this.#restart(name);
      case 'damage-next': this.#damageNext = true; return;
      case 'rot': node?.disk.records.damage(0.7); return;
      case 'slow-disk': this.#storeMs = Number(first); return;
      case 'digest': this.#say(name, `stands at ${node?.disk.appliedSlot}, ${node?.disk.records.digest().slice(0, 8)}`); return;
      default: throw new Error(`no such command: ${words.join(' ')}`);
    }
  }

  #start(name: Name, disk: MemoryDisk, run: number): void {
    const isThisRun = (): boolean => this.#nodes.get(name)?.run === run;
    const later = (delay: number, task: () => void): void => {
      this.#events.push({ at: this.#now + delay, run: () => isThisRun() && task() });
    };
    const memory = new MemoryStore(disk, (task) => later(this.#storeMs, task));
    const travel = new StateTravel({
      store: this.#told(name, memory), cluster: CLUSTER, incarnation: `${name}${run}`, limits: LIMITS,
      now: () => this.#now,
      logger: { log: (level, event, fields) => this.#say(name, `${level} ${event} ${fieldsText(fields)}`.trimEnd()) },
      baseAt: (slot) => `base of ${slot}`,
      // There is no log here.
      hold: () => undefined,
      send: (to, frame) => this.#send(name, to as Name, frame),
    }, {
      fetched: (from, base, why) => this.#say(name, `has fetched from ${from}: ${why}${base === undefined ? '' : `, ${base}`}`),
      damaged: (error) => this.#say(name, `is damaged: ${error.code}`),
    });
    this.#nodes.set(name, { disk, travel, run });
    const tick = (): void => {
      travel.tick();
      later(500, tick);
    };
    later(500, tick);
  }

  #told(name: Name, store: StateStore): StateStore {
    return {
      opened: (done) => store.opened(done),
      bind: (cluster, done) => store.bind(cluster, done),
      load: (of, done) => store.load(of, done),
      apply: (slot, batches, done) => store.apply(slot, batches, done),
      exportAt: (slot, done) => store.exportAt(slot, done),
      setAside: (done) => store.setAside(done),
      close: (done) => store.close(done),
      exportState: (done) => {
        this.#say(name, 'takes a picture');
        store.exportState((picture, error) => done(picture && {
          head: picture.head,
          read: (cursor, bytesMax, read) => picture.read(cursor, bytesMax, read),
          digest: (digested) => picture.digest(digested),
          close: () => {
            this.#say(name, 'lets the picture go');
            picture.close();
          },
        }, error));
      },
      importState: (head, done) => {
        store.importState(head, (taking, error) => done(taking && {
          write: (bytes, written) => taking.write(bytes, (why) => {
            this.#say(name, why === undefined ? `writes ${bytes.length} bytes` : `cannot write: ${codeOf(why)}`);
            written(why);
          }),
          finish: (digest, finished) => taking.finish(digest, (why) => {
            this.#say(name, why === undefined ? `replaces its state: slot ${head.slot}` : `keeps its state: ${codeOf(why)}`);
            finished(why);
          }),
          abort: (aborted) => {
            this.#say(name, 'throws away what it has');
            taking.abort(aborted);
          },
        }, error));
      },
    };
  }

  #fill(name: Name, slots: number): void {
    const disk = this.#nodes.get(name)?.disk;
    if (disk === undefined) return;
    disk.history = CLUSTER;
    disk.isBound = true;
    for (let slot = disk.appliedSlot + 1; slot <= slots; slot++) {
      const effects = [put(`k${slot}`, { text: 'x'.repeat(60) })];
      disk.apply(slot, [{ space: space('team'), entries: [entry(slot, { effects })] }]);
    }
    this.#say(name, `stands at ${disk.appliedSlot}, ${disk.records.digest().slice(0, 8)}`);
  }

  #send(from: Name, to: Name, frame: Uint8Array): void {
    if (this.#cuts.has(from) || this.#cuts.has(to)) return;
    let bytes = frame;
    if (this.#damageNext && decodeStateMessage(frame).kind === 'chunk') {
      this.#damageNext = false;
      bytes = Uint8Array.from(frame);
      const at = bytes.length - 20;
      bytes[at] = (bytes[at] ?? 0) ^ 1;
    }
    if (this.#cutAfter !== undefined && this.#cutAfter-- <= 0) {
      this.#cutAfter = undefined;
      this.#events.push({ at: this.#now, run: () => this.#cut(from === 'b' ? to : from) });
      return;
    }
    const receiver = this.#nodes.get(to);
    this.#events.push({
      at: this.#now + 1,
      run: () => {
        if (this.#cuts.has(from) || this.#cuts.has(to) || this.#nodes.get(to)?.run !== receiver?.run) return;
        this.lines.push(`  ${from} > ${to}  ${textOf(decodeStateMessage(bytes))}`);
        receiver?.travel.frame(from, bytes);
      },
    });
  }

  #cut(name: Name): void {
    this.lines.push(`  the links of ${name} are cut`);
    this.#cuts.add(name);
    for (const other of NAMES) {
      if (other === name) continue;
      this.#nodes.get(other)?.travel.cut(name);
      this.#nodes.get(name)?.travel.cut(other);
    }
  }

  #link(name: Name): void {
    this.#cuts.delete(name);
    for (const other of NAMES) {
      if (other === name) continue;
      this.#nodes.get(other)?.travel.linked(name);
      this.#nodes.get(name)?.travel.linked(other);
    }
  }

  #restart(name: Name): void {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    if (!this.#cuts.has(name)) this.#cut(name);
    this.#start(name, node.disk, node.run + 1);
  }

  #run(until: number): void {
    for (;;) {
      const next = this.#events.reduce<Event | undefined>((least, event) =>
        event.at <= until && (least === undefined || event.at < least.at) ? event : least, undefined);
      if (next === undefined) break;
      this.#events.splice(this.#events.indexOf(next), 1);
      this.#now = next.at;
      next.run();
    }
    this.#now = until;
  }

  #say(name: Name, what: string): void {
    this.lines.push(`  ${name}  ${what}`);
  }
}

/** The script's lines again, each with what followed. */
export function play(text: string): string {
  const bench = new Bench();
  for (const line of text.split('\n')) {
    if (line.startsWith('#') || line.trim() === '') {
      if (line !== '' || bench.lines.at(-1) !== '') bench.lines.push(line);
    } else if (line.startsWith('> ')) {
      bench.lines.push(line);
      bench.command(line.slice(2).split(' '));
    }
  }
  return `${bench.lines.join('\n').trimEnd()}\n`;
}

function textOf(message: StateMessage): string {
  const { kind, fetch } = message;
  switch (kind) {
    case 'fetch': {
      const where = message.resume === undefined ? '' : `, on behind ${hex(message.resume.cursor)} of ${message.resume.picture}`;
      return `fetch ${fetch}: at least slot ${message.atLeast} of ${message.cluster}${where}`;
    }
    case 'head': return `head ${fetch}: picture ${message.picture} of slot ${message.slot}, ${message.base}${message.isResumed ? ', goes on' : ''}`;
    case 'chunk': return `chunk ${fetch}: ${message.number}, ${message.bytes.length} bytes${message.next === undefined ? ', the last' : ''}`;
    case 'digest': return `digest ${fetch}: ${message.hex.slice(0, 8)}`;
    case 'written': return `written ${fetch}: up to ${message.upTo}`;
    case 'refused': return `refused ${fetch}: ${message.code}`;
    case 'alive':
    case 'end': return `${kind} ${fetch}`;
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const codeOf = (error: Error): string => ('code' in error ? String(error.code) : error.message);

function fieldsText(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key} ${value instanceof Error ? codeOf(value) : String(value)}`)
    .join(', ');
}
