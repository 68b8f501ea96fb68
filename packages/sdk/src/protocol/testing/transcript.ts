/**
 * Plays a transcript: a text file in which each line that begins with `>` says what happens, and
 * the lines below it what is then said on the wire. A stranger reads them as the protocol's
 * examples; the test holds the code to them.
 */
import { ExchangePair, side, type Side } from './exchange-pair.js';
import { NaiveHolder } from './naive-holder.js';

type Command = (stage: Stage, name: string, words: readonly string[]) => void;

const count = (word: string | undefined): number => Number(word ?? 1);

/** `> NAME VERB …` or `> VERB …`. */
const commands: Readonly<Record<string, Command>> = {
  /** `> server s of h1` */
  server: (stage, _name, [name = 's', , history = 'h1']) => stage.join(name, history, 'updates'),
  /** `> replica c` or `> replica c of h1` */
  replica: (stage, _name, [name = 'c', , history = '']) => stage.join(name, history, 'all'),
  writes: (stage, name, [n]) => {
    for (let i = 0; i < count(n); i++) stage.holder(name).write({ text: 'x'.repeat(60) });
    stage.pair?.news();
  },
  commits: (stage, name, [n]) => {
    stage.holder(name).commit(count(n));
    stage.pair?.news();
  },
  trims: (stage, name, [csn]) => stage.holder(name).trim(count(csn)),
  restarts: (stage, name, [, history = 'h2']) => stage.restart(name, history),
  refuses: (stage, name, [code]) => { stage.holder(name).refusing = code; },
  accepts: (stage, name) => { stage.holder(name).refusing = undefined; },
  /** A new link, run until nothing is left to say. */
  connect: (stage) => stage.connect().run(),
  /** A new link, of which only so many frames arrive before it is cut. */
  glimpse: (stage, _name, [n]) => {
    const pair = stage.connect();
    for (let i = 0; i < count(n); i++) {
      pair.pump(1);
      pair.deliver(pair.wire.shift());
    }
    stage.pair = undefined;
  },
  cut: (stage) => { stage.pair = undefined; },
  /** The next so many messages of a side are lost. */
  loses: (stage, name, [n]) => stage.pair?.lose(name, count(n)),
  asks: (stage, name) => {
    (name === stage.sides[0]?.name ? stage.pair?.left : stage.pair?.right)?.start();
    stage.pair?.run();
  },
  leaves: (stage, name) => {
    (name === stage.sides[0]?.name ? stage.pair?.left : stage.pair?.right)?.stop();
    stage.pair?.run();
  },
  beat: (stage) => stage.pair?.beat(),
  equal: (stage) => stage.print(new Set(stage.sides.map(({ holder }) => holder.state())).size === 1
    ? 'both hold the same' : 'they differ'),
  /** What reached a holder since it was last asked. */
  heard: (stage, name) => stage.print(stage.holder(name).log.splice(0).join(', ') || 'nothing'),
};

class Stage {
  readonly sides: Side[] = [];
  pair: ExchangePair | undefined;
  #said: string[] = [];

  join(name: string, history: string, wants: 'all' | 'updates'): void {
    this.sides.push(side(name, new NaiveHolder(name, history), wants));
  }

  holder(name: string): NaiveHolder {
    const found = this.sides.find((one) => one.name === name);
    if (found === undefined) throw new Error(`Nobody is called '${name}'`);
    return found.holder;
  }

  /** From a backup that knows nothing, under a new history. */
  restart(name: string, history: string): void {
    const at = this.sides.findIndex((one) => one.name === name);
    this.sides[at] = side(name, new NaiveHolder(name, history), this.sides[at]?.wants);
    this.pair = undefined;
  }

  connect(): ExchangePair {
    const [left, right] = this.sides;
    if (left === undefined || right === undefined) throw new Error('A link has two sides');
    this.pair = new ExchangePair(left, right, (line) => this.print(line));
    this.pair.start();
    return this.pair;
  }

  print(line: string): void {
    this.#said.push(line);
  }

  take(): string[] {
    return this.#said.splice(0);
  }
}

/** The transcript as it really goes: commands and remarks kept, the rest written anew. */
export function play(transcript: string): string {
  const stage = new Stage();
  const lines: string[] = [];
  for (const line of transcript.split('\n')) {
    if (line.startsWith('  ')) continue;
    lines.push(line);
    if (!line.startsWith('> ')) continue;
    perform(stage, line.slice(2).trim().split(/\s+/));
    for (const said of stage.take()) lines.push(`  ${said}`);
  }
  return lines.join('\n');
}

function perform(stage: Stage, words: readonly string[]): void {
  const [first = '', second = ''] = words;
  const plain = commands[first];
  if (plain !== undefined) return plain(stage, '', words.slice(1));
  const named = commands[second];
  if (named === undefined) throw new Error(`No such command: ${words.join(' ')}`);
  named(stage, first, words.slice(2));
}
