/** By which an operator proves to a node that orders are allowed: given, or made of the secret. */
import { OxbowError } from '@oxbow/sdk/protocol';
import { adminTokenOf, mustAdminToken } from '../drivers/admin-http.js';
import { mustRead } from './must-read.js';

export interface ProofFlags {
  readonly clusterSecretFile?: string | undefined;
  readonly adminTokenFile?: string | undefined;
}

/** Errors: `config-invalid`. */
export function adminToken({ clusterSecretFile, adminTokenFile }: ProofFlags): string {
  if (adminTokenFile !== undefined) return mustAdminToken(mustRead(adminTokenFile, 'admin token'));
  if (clusterSecretFile !== undefined) {
    return adminTokenOf(mustRead(clusterSecretFile, 'cluster secret').trim());
  }
  throw new OxbowError(
    'config-invalid',
    'Cannot prove that you may: give --cluster-secret-file or --admin-token-file, as to serve.',
  );
}
