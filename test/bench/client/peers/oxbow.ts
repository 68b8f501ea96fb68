/**
 * Oxbow, through its public interface only: what any app can do. The first load is a first sync, as
 * Replicache's is; changes of others are commits of a server.
 */
import {
  defineApp, indexedDb, mutation, openReplica, table, unchecked, type Replica, type Space,
} from '@oxbow/sdk';
import type { Day, Event } from '../document.js';
import { Origin } from '../origin.js';
import type { Peer } from '../peer.js';

const app = defineApp({
  name: 'bench',
  version: 1,
  tables: { event: table<Event>()({ key: 'id', indexes: { byStart: ['start'] } }) },
  mutations: {
    put: mutation({ args: unchecked<Event>(), apply: (tx, event) => tx.event.put(event) }),
    retitle: mutation({
      args: unchecked<{ readonly id: string; readonly title: string }>(),
      apply: (tx, { id, title }) => tx.event.update(id, { title }),
    }),
    /** When this is saved, so is all before it. */
    mark: mutation({ args: unchecked<null>(), apply: () => undefined }),
  },
});

const SPACE = 'team';

class OxbowPeer implements Peer {
  #origin = new Origin(SPACE);
  #replica: Replica<typeof app> | undefined;
  #space: Space<typeof app> | undefined;
  #commits: readonly string[] = [];

  async open(name: string): Promise<void> {
    this.#origin = new Origin(SPACE);
    this.#replica = await openReplica({
      app, storage: indexedDb(name), sync: [this.#origin.transport], offline: true,
    });
    this.#space = await this.#replica.open(SPACE);
  }

  async put(event: Event): Promise<void> {
    this.#open.mutate.put(event);
  }

  async putDurable(event: Event): Promise<void> {
    await this.#open.mutate.put(event).until('saved');
  }

  async putPipelined(events: readonly Event[]): Promise<void> {
    const { mutate } = this.#open;
    await Promise.all(events.map((event) => mutate.put(event).until('saved')));
  }

  async retitle(id: string, title: string): Promise<void> {
    this.#open.mutate.retitle({ id, title });
  }

  async prepareBulk(events: readonly Event[]): Promise<void> {
    this.#origin.prepareBase(events);
  }

  async bulk(): Promise<void> {
    const arrived = this.#reached(1);
    this.#replica?.goOnline();
    await arrived;
  }

  async durable(): Promise<void> {
    await this.#open.mutate.mark(null).until('saved');
  }

  async all(): Promise<readonly Event[]> {
    return this.#open.query((tx) => tx.event.all());
  }

  async day([from, to]: Day): Promise<readonly Event[]> {
    return this.#open.query((tx) => tx.event.index('byStart').between([from], [to]).all());
  }

  subscribe([from, to]: Day, changed: (events: readonly Event[]) => void): () => void {
    const live = this.#open.live((tx) => tx.event.index('byStart').between([from], [to]).all());
    live.subscribe(() => changed(live.get()));
    return () => live.close();
  }

  async prepareRemote(changed: readonly Event[]): Promise<void> {
    const held = this.#origin.whenHeld();
    this.#replica?.goOffline();
    this.#replica?.goOnline();
    await held;
    this.#commits = this.#origin.prepareCommits(changed, this.#open.summary().csn);
  }

  async receive(changed: readonly Event[]): Promise<void> {
    const settled = this.#reached(this.#open.summary().csn + changed.length);
    this.#origin.say(this.#commits);
    await settled;
  }

  async close(): Promise<void> {
    await this.#replica?.close();
  }

  get #open(): Space<typeof app> {
    if (this.#space === undefined) throw new Error('not open');
    return this.#space;
  }

  /** Resolves once commits up to that one are visible. */
  #reached(csn: number): Promise<void> {
    const space = this.#open;
    return new Promise((resolve) => {
      const stop = space.subscribe(() => {
        if (space.summary().csn < csn) return;
        stop();
        resolve();
      });
    });
  }
}

export const peer: Peer = new OxbowPeer();
