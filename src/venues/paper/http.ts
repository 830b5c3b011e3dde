import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from './api';

const MAX_BODY_BYTES = 1_048_576;

/** Reads a request's body. Calls back with `undefined` when it is over 1 MiB or the client went away. */
export function readBody(message: IncomingMessage, done: (body: string | undefined) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let settled = false;
  const settle = (body: string | undefined): void => {
    if (settled) return;
    settled = true;
    done(body);
  };
  message.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) settle(undefined);
    else chunks.push(chunk);
  });
  message.on('end', () => settle(Buffer.concat(chunks).toString('utf8')));
  message.on('error', () => settle(undefined));
  message.on('close', () => settle(undefined));
}

/** Sends an object as JSON, a string as the HTML that an edge proxy would send. */
export function sendJson(
  response: ServerResponse,
  { status, body, headers }: Pick<Answer, 'status' | 'body' | 'headers'>,
): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/html' : 'application/json;charset=UTF-8';
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text), ...headers });
  response.end(text);
}

/** Sends the first half of the JSON as if it were all: status and length are right, the text is not. */
export function sendCut(response: ServerResponse, { status, body, headers }: Answer): void {
  const text = JSON.stringify(body);
  const half = Buffer.from(text.slice(0, Math.ceil(text.length / 2)));
  const type = 'application/json;charset=UTF-8';
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': half.length, ...headers });
  response.end(half);
}
