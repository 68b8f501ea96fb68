/**
 * A backup of a running server over HTTP. Its length is not known before, so a connection that ends
 * early is told from a whole file by the file's own last line: whoever saves it reads it back.
 */
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { StateExport } from '../space/state-transfer.js';
import { backupBytes } from './backup-file.js';

/**
 * Answers with the file, and closes the picture. Ends the connection where the state cannot be
 * read.
 */
export async function answerBackup(
  response: ServerResponse, picture: StateExport, takenAt: string,
): Promise<void> {
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  try {
    await pipeline(backupBytes(picture, takenAt), response);
  } catch (error) {
    // Whoever went away wants no more of it; what else it was is seen as an end that is none.
    response.destroy(error instanceof Error ? error : undefined);
  }
}
