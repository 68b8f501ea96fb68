/**
 * Three processes under fire, clients with the real SDK, and the same checkers that the simulation
 * uses: what the simulated disk, network and clock leave out shows here. Thirty rounds in the
 * suite; more by `OXBOW_FAULT_ROUNDS=300 npx vitest run test/cluster`, another order by
 * `OXBOW_FAULT_SEED`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bundledApp } from './bundled-app.js';
import { faults, networkFaults } from './faults.js';
import { Hosts, whyNoHosts } from './hosts.js';
import { Nodes } from './nodes.js';
import { holdsThrough } from './trial.js';

const ROUNDS = Number(process.env.OXBOW_FAULT_ROUNDS ?? 30);
const SEED = Number(process.env.OXBOW_FAULT_SEED ?? 1);
const HOSTS = 3;
const noHosts = whyNoHosts();

it('keeps every acknowledged append, once and in one order, through thirty rounds of faults', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oxbow-faults-'));
  const nodes = await Nodes.start({ folder, app: await bundledApp(folder), isProxied: true });
  try {
    await holdsThrough({ nodes, faults, rounds: ROUNDS, seed: SEED });
  } finally {
    await nodes.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}, ROUNDS * 30_000);

if (noHosts === undefined) {
  const rounds = Math.ceil(ROUNDS / 4);
  it('the same on hosts of their own, whose network fails in every way it can', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'oxbow-hosts-'));
    const hosts = Hosts.start(HOSTS);
    let nodes;
    try {
      nodes = await Nodes.start({ folder, app: await bundledApp(folder), hosts });
      await holdsThrough({ nodes, faults: networkFaults(hosts), rounds, seed: SEED });
    } finally {
      await nodes?.stop();
      hosts.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }, rounds * 30_000);
} else {
  it(`hosts of their own were not tried, as this machine makes none: ${noHosts}`, () => {
    expect(whyNoHosts()).toBeDefined();
  });
}
