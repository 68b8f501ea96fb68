/** The calendar's page server against requests that want more than the page. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PageServer } from './processes.js';

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly cache: string | undefined;
  readonly text: string;
}

describe('the page server', () => {
  let folder: string;
  let server: PageServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oxbow-page-'));
    await mkdir(join(folder, 'dist', 'assets'), { recursive: true });
    await mkdir(join(folder, 'dist-private'));
    await writeFile(join(folder, 'secret.txt'), 'secret');
    await writeFile(join(folder, 'dist-private', 'secret.txt'), 'secret');
    await writeFile(join(folder, 'dist', 'index.html'), '<!doctype html>page');
    await writeFile(join(folder, 'dist', 'assets', 'index-AbCd1234.js'), 'script');
    server = await PageServer.start(join(folder, 'dist'));
  });

  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** The path goes out as it is: `fetch` would tidy it up first. */
  const ask = (path: string, method = 'GET'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(server.url);
      request({ hostname, port, path, method }, (response) => {
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', (part: string) => {
            text += part;
          })
          .on('end', () =>
            resolve({
              status: response.statusCode,
              type: response.headers['content-type'],
              cache: response.headers['cache-control'],
              text,
            }),
          );
      })
        .on('error', reject)
        .end();
    });

  it('serves the page and its files with their types; what has a hash in its name may be kept', async () => {
    expect(await ask('/?space=team-42')).toEqual({
      status: 200,
      type: 'text/html; charset=utf-8',
      cache: 'no-cache',
      text: '<!doctype html>page',
    });
    expect(await ask('/assets/index-AbCd1234.js')).toMatchObject({
      status: 200,
      type: 'text/javascript; charset=utf-8',
      cache: 'public, max-age=31536000, immutable',
    });
    expect(await ask('/', 'HEAD')).toMatchObject({ status: 200, text: '' });
  });

  it('names the sync servers to the page, and to nothing else', async () => {
    const [a, b] = ['ws://a:1/sync?x=1&y="2"', 'ws://b:2/sync'];
    await writeFile(join(folder, 'dist', 'named.html'), '<html><head lang="en"><title>');
    const named = await PageServer.start(
      join(folder, 'dist'), '--server', `${a},${b}`, '--server', 'ws://c:3/sync',
    );
    try {
      const page = await (await fetch(new URL('/named.html', named.url))).text();
      expect(page).toContain(
        'content="ws://a:1/sync?x=1&#38;y=&#34;2&#34;,ws://b:2/sync,ws://c:3/sync"',
      );
      expect(page).toMatch(/^<html><head lang="en">\s*<meta name="sync-servers" [^<]*<title>$/);
      expect(await (await fetch(new URL('/assets/index-AbCd1234.js', named.url))).text())
        .toBe('script');
    } finally {
      await named.stop();
    }
  });

  it('gives nothing from outside its folder, however that is spelled', async () => {
    for (const path of [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/..%5csecret.txt',
      '/../dist-private/secret.txt',
      '/..%2fdist-private/secret.txt',
      '//etc/passwd',
      '/%2fetc/passwd',
      '/index.html%00.txt',
      '/assets',
      '/assets/',
      '/nothing.html',
      '/%zz',
      'http://other/../secret.txt',
    ]) {
      expect(await ask(path), path).toMatchObject({ status: 404 });
    }
  });

  it('answers only GET and HEAD', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      expect(await ask('/', method), method).toMatchObject({ status: 405 });
    }
  });
});
