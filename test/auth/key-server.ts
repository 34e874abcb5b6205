import { KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';

export type Algorithm = 'RS256' | 'ES256' | 'EdDSA';

/** A key pair as an app has it. */
export interface Signer {
  readonly publicKey: CryptoKey;
  readonly jwk: Record<string, unknown>;
  /** Signs whatever the header says. */
  signAs(content: string): string;
  /** A token for one minute. */
  sign(claims?: JWTPayload, header?: Record<string, unknown>): Promise<string>;
}

export async function signer(id: string | undefined, algorithm: Algorithm = 'ES256'): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const named = id === undefined ? {} : { kid: id };
  return {
    publicKey,
    jwk: { ...(await exportJWK(publicKey)), ...named },
    signAs: (content) => {
      const key = { key: KeyObject.from(privateKey), dsaEncoding: 'ieee-p1363' } as const;
      const signature = sign(algorithm === 'EdDSA' ? null : 'sha256', Buffer.from(content), key);
      return `${content}.${signature.toString('base64url')}`;
    },
    sign: (claims = {}, header = {}) =>
      new SignJWT({ sub: 'ann', exp: Math.floor(Date.now() / 1000) + 60, ...claims })
        .setProtectedHeader({ alg: algorithm, ...named, ...header })
        .sign(privateKey),
  };
}

type Behaviour = (response: ServerResponse) => void;

/** Serves a JWKS, or does what servers do when they do not. */
export class KeyServer {
  asked = 0;
  behave: Behaviour;
  private server: Server | undefined;
  private port = 0;

  private constructor(keys: object[]) {
    this.behave = serves(keys);
  }

  static async start(...signers: Signer[]): Promise<KeyServer> {
    const server = new KeyServer(signers.map(({ jwk }) => jwk));
    await server.come();
    return server;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.port}/jwks.json`);
  }

  publish(...signers: Signer[]): void {
    this.behave = serves(signers.map(({ jwk }) => jwk));
  }

  /** At the address of the last time. */
  async come(): Promise<void> {
    this.server = createServer((_, response) => {
      this.asked += 1;
      this.behave(response);
    }).listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  async go(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }
}

export const serves = (keys: object[]): Behaviour => says(200, JSON.stringify({ keys }));

export const says =
  (status: number, body: string, headers: Record<string, string> = {}): Behaviour =>
  (response) =>
    response.writeHead(status, headers).end(body);

/** Takes the request and never answers, or never comes to an end. */
export const stalls =
  (begin = ''): Behaviour =>
  (response) =>
    begin === '' ? undefined : void response.writeHead(200).write(begin);
