/**
 * The operators' door, on the port that clients use: the status page, its figures, and orders to
 * the group. Everything but the bare page needs a token; that a request comes from this machine
 * proves nothing, for so do those of any web page that is open on it. Orders are POST and carry the
 * token in a header that no form can set.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { OxbowError } from '@oxbow/sdk/protocol';
import type { Order, OrderResult } from '../cluster/effects.js';
import { isNodeName } from '../cluster/node-name.js';
import { statusPage } from './status-page.js';

export interface AdminOptions {
  /** Undefined: nobody is let in. */
  readonly token: string | undefined;
  status(): unknown;
  doctor(): Promise<unknown>;
  /** Sends a backup of all state, or says why not. */
  backup(response: ServerResponse): Promise<void>;
  order(order: Order, done: (result: OrderResult) => void): void;
}

export const ADMIN_PATH = '/cluster';
const TOKEN_CHARS_MIN = 32;

const ORDERS: Readonly<Record<string, Order['kind']>> = {
  '/cluster/add': 'add',
  '/cluster/remove': 'remove',
  '/cluster/transfer-leader': 'transfer',
};

/** The token of those who have the cluster's secret: the secret itself travels nowhere. */
export function adminTokenOf(secret: string): string {
  return createHmac('sha256', secret).update('oxbow admin').digest('hex');
}

/** Errors: `config-invalid`. */
export function mustAdminToken(text: string): string {
  const token = text.trim();
  if (token.length >= TOKEN_CHARS_MIN && /^[\x21-\x7e]+$/.test(token)) return token;
  const message = `Cannot use the admin token: it needs at least ${TOKEN_CHARS_MIN} printable characters without blanks. ` +
    'Make one with `openssl rand -hex 32`.';
  throw new OxbowError('config-invalid', message);
}

/** Answers what is under `/cluster`. */
export function answerAdmin(
  request: IncomingMessage, response: ServerResponse, options: AdminOptions,
): void {
  const url = new URL(request.url ?? '/', 'http://node');
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  if (url.pathname === ADMIN_PATH && isReading) {
    page(response);
    return;
  }
  const refusal = refuse(request, options.token);
  if (refusal !== undefined) {
    json(response, refusal.code === 'admin-disabled' ? 403 : 401, refusal);
    return;
  }
  const kind = ORDERS[url.pathname];
  if (kind !== undefined) {
    answerOrder(request, response, { kind, name: url.searchParams.get('name') ?? '' }, options);
  } else if (!isReading) {
    json(response, 405, { code: 'method-not-allowed', message: 'This is read with GET.' });
  } else if (url.pathname === '/cluster/status') {
    json(response, 200, options.status());
  } else if (url.pathname === '/cluster/doctor') {
    options.doctor().then(
      (findings) => json(response, 200, findings),
      (error: unknown) => json(response, 500, failure(error)),
    );
  } else if (url.pathname === '/cluster/backup') {
    options.backup(response).catch((error: unknown) => json(response, 500, failure(error)));
  } else {
    json(response, 404, { code: 'not-found', message: 'There is /cluster, /cluster/status and /cluster/doctor.' });
  }
}

function answerOrder(
  request: IncomingMessage, response: ServerResponse, order: Order, options: AdminOptions,
): void {
  if (request.method !== 'POST') {
    json(response, 405, { code: 'method-not-allowed', message: 'Orders are given with POST.' });
  } else if (!isNodeName(order.name)) {
    json(response, 400, { code: 'config-invalid', message: 'Give the node as ?name=….' });
  } else {
    options.order(order, (result) => json(response, result.code === 'done' ? 200 : 409, result));
  }
}

function refuse({ headers }: IncomingMessage, token: string | undefined): OrderResult | undefined {
  if (token === undefined) {
    const message = 'This node has no admin token: start it with --admin-token-file or a cluster secret.';
    return { code: 'admin-disabled', message };
  }
  const given = headers.authorization ?? '';
  // Of equal length, so that comparing takes the same time whatever was given.
  const digest = (text: string): Buffer => createHmac('sha256', 'compare').update(text).digest();
  if (timingSafeEqual(digest(given), digest(`Bearer ${token}`))) return undefined;
  const message = 'Give the admin token: the one of --admin-token-file, or that of the cluster\'s secret ' +
    '(`oxbow cluster token`).';
  return { code: 'admin-unauthorized', message };
}

function page(response: ServerResponse): void {
  const { text, scriptHash } = statusPage();
  // Nothing from elsewhere is loaded or asked, and nobody may frame it.
  const policy = `default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; ` +
    `script-src '${scriptHash}'; base-uri 'none'; frame-ancestors 'none'`;
  const headers = { 'Content-Security-Policy': policy };
  write(response, 200, { type: 'text/html; charset=utf-8', text, headers });
}

function json(response: ServerResponse, status: number, value: unknown): void {
  if (response.writableEnded) return;
  write(response, status, { type: 'application/json', text: `${JSON.stringify(value)}\n` });
}

interface Body {
  readonly type: string;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function write(response: ServerResponse, status: number, { type, text, headers = {} }: Body): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    ...headers,
  });
  response.end(text);
}

function failure(error: unknown): OrderResult {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof OxbowError ? error.code : 'internal-error', message };
}
