/**
 * Plays a transcript of a node: each line that begins with `>` says what happens, the lines below
 * it what the node then says to whom. A stranger reads them as examples; the test holds the code to
 * them.
 */
import type { Message } from '@oxbow/sdk/protocol';
import { entryOf, GroupMember } from './group-member.js';
import { replicaOf, spaceOf, TestClient } from './test-server.js';

type Command = (stage: Stage, words: readonly string[]) => void;
type ClientCommand = (stage: Stage, name: string, words: readonly string[]) => void;

const TEAM = spaceOf('team');

/** What a client does: `> ann connects`. */
const byClient: Readonly<Record<string, ClientCommand>> = {
  connects: (stage, name) => {
    const { node } = stage;
    const token = `token of ${name}`;
    node.tokens.set(token, { user: name, spaces: { '*': 'rw' } });
    const client = new TestClient(node, node.connect(), replicaOf(name));
    stage.clients.set(name, client);
    client.hello(token);
  },
  opens: (stage, name) => void stage.client(name).open('team'),
  adds: (stage, name) => {
    const client = stage.client(name);
    client.bring('team', client.update('add', { id: 'c', by: 1 }));
  },
  /** `> bob asks 1`: a barrier with that id. */
  asks: (stage, name, [id]) => stage.client(name).say({ kind: 'barrier', space: TEAM, id: Number(id) }),
};

/** What the log tells. */
const byLog: Readonly<Record<string, Command>> = {
  leads: ({ node }) => void node.lead(),
  /** `> follows` or `> follows wss://b/sync` */
  follows: ({ node }, [url]) => void node.follow(url),
  chosen: ({ node }) => node.choose(),
  'chosen-of-a-former-leadership': ({ node }) => node.choose('of a former leadership'),
  void: ({ node }) => node.choose('void'),
  nothing: ({ node }) => node.tell(undefined),
  /** `> stranger 1`: another leader's entry, with that csn. */
  stranger: ({ node }, [csn]) => node.tellEntries(TEAM, entryOf(Number(csn), 10)),
  /** `> confirmed 1`: the answer to the oldest question; without a slot: it cannot say. */
  confirmed: ({ node }, [slot]) => {
    const tag = node.barriers.shift();
    if (tag === undefined) throw new Error('the log was not asked');
    node.machine.barrierDone(tag, slot === undefined ? undefined : Number(slot), node.now);
  },
};

class Stage {
  readonly node = new GroupMember();
  readonly clients = new Map<string, TestClient>();
  readonly #told = new Map<TestClient, number>();
  #asked = 0;

  constructor() {
    this.node.holdsBarriers = true;
  }

  client(name: string): TestClient {
    const client = this.clients.get(name);
    if (client === undefined) throw new Error(`Nobody is called '${name}'`);
    return client;
  }

  perform(words: readonly string[]): string[] {
    const [first = '', second = ''] = words;
    const ofLog = byLog[first];
    const ofClient = byClient[second];
    if (ofLog !== undefined) ofLog(this, words.slice(1));
    else if (ofClient !== undefined) ofClient(this, first, words.slice(2));
    else throw new Error(`No such command: ${words.join(' ')}`);
    this.node.settle();
    return this.#news();
  }

  #news(): string[] {
    const lines: string[] = [];
    for (const [name, client] of this.clients) {
      const { heard } = client;
      for (const message of heard.slice(this.#told.get(client) ?? 0)) lines.push(`to ${name}  ${text(message)}`);
      this.#told.set(client, heard.length);
    }
    if (this.node.barriers.length > this.#asked) lines.push('to the log  up to where?');
    this.#asked = this.node.barriers.length;
    return lines;
  }
}

function text(message: Message): string {
  switch (message.kind) {
    case 'welcome': return `welcome, version ${message.version}`;
    case 'open': return 'open';
    case 'opened': return `opened, csn ${message.summary.csn}${message.completion > 0 ? ', complete' : ''}`;
    case 'commits':
      return `commits ${message.entries.map(({ csn, id }) => `${csn}=${id.replica}/${id.seq}`).join(' ')}`;
    case 'barrier-at': return `barrier-at ${message.id} csn ${message.csn}`;
    case 'barrier-failed': return `barrier-failed ${message.id} ${message.code}`;
    case 'fail':
      return `fail ${message.code}${message.redirect === undefined ? '' : `, redirect ${message.redirect}`}` +
        (message.retryMs === undefined ? '' : `, retry ${message.retryMs}`);
    default: return message.kind;
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
    for (const said of stage.perform(line.slice(2).trim().split(/\s+/))) lines.push(`  ${said}`);
  }
  return lines.join('\n');
}
