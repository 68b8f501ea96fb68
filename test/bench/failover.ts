/**
 * What a client sees of a killed leader: the real SDK with all addresses, one update after the
 * kill, and the time until its commit is known. Default settings on both sides.
 */
import { memory, openReplica, server } from '@oxbow/sdk/node';
import type { Nodes } from '../cluster/nodes.js';
import app from './bench-app.js';

/** Kills the leader, measures, and brings the node back. ms */
export async function measureFailover(nodes: Nodes): Promise<number> {
  const leader = await nodes.mustLeader();
  const replica = await openReplica({
    app, storage: memory(), sync: [server(nodes.urls, { token: 'dev:bench' })],
  });
  try {
    const space = await replica.open('failover');
    await space.mutate.put({ id: 'k', v: 'before' }).until('committed');
    await nodes.signal(leader, 'SIGKILL');
    const started = performance.now();
    const outcome = await space.mutate.put({ id: 'k', v: 'after' }).until('committed');
    if (outcome.kind !== 'applied') throw new Error(`the update ended as ${outcome.kind}`);
    return performance.now() - started;
  } finally {
    await replica.close();
    nodes.spawn(leader);
    await nodes.ready();
  }
}
