/**
 * The load in a process of its own: what makes it must not share a thread with what measures it.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadOrder, LoadReport } from './load-worker.js';

export function runLoad(order: LoadOrder): Promise<LoadReport> {
  const worker = fork(fileURLToPath(new URL('load-worker.ts', import.meta.url)), {
    execArgv: process.execArgv,
  });
  return new Promise((resolve, reject) => {
    worker.once('message', (answer: { report?: LoadReport; error?: string }) => {
      if (answer.report === undefined) reject(new Error(answer.error));
      else resolve(answer.report);
    });
    worker.once('error', reject);
    worker.send(order);
  });
}
