/** What a node holds, in one word: nodes that hold the same say the same. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { adminTokenOf } from '../../packages/server/src/drivers/admin-http.js';
import { saveBackup } from '../../packages/server/src/drivers/backup-file.js';
import { mustRead } from '../../packages/server/src/cli/must-read.js';
import type { Nodes } from './nodes.js';

/** The digest of all that a node holds. */
export async function stateDigest(nodes: Nodes, node: number, folder: string): Promise<string> {
  const token = adminTokenOf(mustRead(nodes.secretFile, 'cluster secret').trim());
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(nodes.http(node, '/cluster/backup'), { headers });
  if (!response.ok || response.body === null) throw new Error(`node ${node}: ${response.status}`);
  const into = mkdtempSync(join(folder, 'state-'));
  return (await saveBackup(response.body, into, 'state')).report.digest;
}
