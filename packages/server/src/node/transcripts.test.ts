import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { play } from './testing/transcript.js';

const folder = new URL('./transcripts/', import.meta.url);

// TRANSCRIPTS=write npx vitest run packages/server/src/node/transcripts.test.ts
const isWriting = process.env.TRANSCRIPTS === 'write';

describe('a node says what its transcripts say', () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt')).sort()) {
    it(file.replace('.txt', '').replaceAll('-', ' '), () => {
      const path = new URL(file, folder);
      const written = readFileSync(path, 'utf8');
      const played = play(written);
      if (isWriting) writeFileSync(path, played);
      else expect(played).toBe(written);
    });
  }
});
