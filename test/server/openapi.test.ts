import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { OpenAPIObject } from '@nestjs/swagger';
import { launchBrowser } from '../web/browser.js';
import { Cluster } from './cluster.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const checkedIn = async () => JSON.parse(await readFile('docs/openapi.json', 'utf8')) as OpenAPIObject;
const stale = 'docs/openapi.json is stale: npm run build:server && npm run openapi';

describe('the OpenAPI document', () => {
  let cluster: Cluster;
  let url: string;
  let document: OpenAPIObject;
  let operations: [string, Operation][];
  beforeAll(async () => {
    cluster = await Cluster.start(1);
    ({ url } = cluster.instance(0));
    document = (await (await fetch(`${url}/docs/openapi.json`)).json()) as OpenAPIObject;
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, Operation>).map(([method, operation]): [string, Operation] => [
        `${method.toUpperCase()} ${path}`,
        operation,
      ]),
    );
  });
  afterAll(() => cluster.stop());

  it('is checked in as it is served', async () => {
    expect({ stale, document: await checkedIn() }).toEqual({ stale, document });
  });

  it('is written by its script without a database', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'parley-openapi-'));
    const run = ['--import', './test/environment/typescript.mjs', 'src/openapi.ts', join(dir, 'openapi.json')];
    await promisify(execFile)(process.execPath, run, { env: { PATH: process.env['PATH'] } });
    expect(await readFile(join(dir, 'openapi.json'), 'utf8')).toBe(await readFile('docs/openapi.json', 'utf8'));
    await rm(dir, { recursive: true });
  });

  it('tells of every route what goes in, what comes out and what a refusal looks like', () => {
    expect(operations.length).toBeGreaterThanOrEqual(19);
    for (const [route, operation] of operations) {
      const { default: refusal, ...good } = operation.responses;
      expect([route, Object.keys(good)]).toEqual([route, [expect.stringMatching(/^20[01]$/)]]);
      for (const response of Object.values(good)) expect(schemaOf(response, 'application/json')).toBeDefined();
      expect(schemaOf(refusal, 'application/problem+json')).toEqual({ $ref: '#/components/schemas/Problem' });
      expect([route, operation.summary]).toEqual([route, expect.stringMatching(/\w/)]);
      const wantsBody = /^(POST|PATCH)/.test(route) && !/\/(join|leave|renew|disconnect)$/.test(route);
      expect([route, schemaOf(operation.requestBody, 'application/json') !== undefined]).toEqual([route, wantsBody]);
      for (const parameter of operation.parameters ?? [])
        expect(parameter).toMatchObject({
          name: expect.stringMatching(/^\w+$/) as string,
          in: expect.stringMatching(/^(path|query)$/) as string,
          schema: { type: expect.any(String) as string },
        });
      const inPath = [...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const told = (operation.parameters ?? []).flatMap((each) =>
        'in' in each && each.in === 'path' ? [each.name] : [],
      );
      expect(told.toSorted()).toEqual(inPath.toSorted());
    }
    expect(new Set(operations.map(([, { operationId }]) => operationId)).size).toBe(operations.length);
  });

  it('says who may ask what', () => {
    const open = new Set([
      'GET /v1/ways-in',
      'POST /v1/guests',
      'POST /v1/accounts',
      'POST /v1/sessions',
      'POST /v1/sessions/refresh',
    ]);
    const wanted = (route: string) =>
      route.includes(' /admin/') ? [{ admin: [] }] : open.has(route) ? undefined : [{ bearer: [] }];
    for (const [route, { security }] of operations) expect([route, security]).toEqual([route, wanted(route)]);
    expect(Object.keys(document.components?.securitySchemes ?? {}).toSorted()).toEqual(['admin', 'bearer']);
  });

  it('refers to nothing that is not there', () => {
    const names = Object.keys(document.components?.schemas ?? {});
    const used = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(([, reference]) => reference);
    expect(new Set(used)).toEqual(new Set(names.map((name) => `#/components/schemas/${name}`)));
    expect(names).toEqual(expect.arrayContaining(['Room', 'Member', 'Message', 'Change', 'RoomSynced', 'Problem']));
  });

  it('is shown as a page that loads nothing from elsewhere and breaks no policy', async () => {
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      const hosts = new Set<string>();
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('request', (request) => request.url().startsWith('http') && hosts.add(new URL(request.url()).origin));
      await page.goto(`${url}/docs`);
      await page.getByText('The rooms that you are a member of, by name').waitFor();
      await page.locator('#operations-rooms-Rooms_create .opblock-summary-control').first().click();
      await page.getByRole('button', { name: 'Try it out' }).click();
      await page.getByRole('button', { name: 'Execute' }).click();
      await page.getByText('"unauthenticated"').first().waitFor();
      expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
      expect([...hosts]).toEqual([url]);
    } finally {
      await browser.close();
    }
  });

  it('leaves the policy of every other page strict (S-56)', async () => {
    const policyOf = async (path: string) => (await fetch(`${url}${path}`)).headers.get('content-security-policy');
    for (const path of ['/', '/v1/rooms', '/docsandmore']) expect(await policyOf(path)).not.toContain('unsafe');
    expect(await policyOf('/docs')).toMatch(/style-src 'self' 'unsafe-inline'$/);
    expect((await policyOf('/docs'))?.match(/unsafe/g)?.length).toBe(1);
  });

  it('is not there where it is switched off (S-28)', async () => {
    const closed = await Cluster.beside(cluster, 1, { docs: false });
    try {
      for (const path of ['/docs', '/docs/openapi.json', '/docs/openapi.yaml'])
        expect((await fetch(`${closed.instance(0).url}${path}`)).status).toBe(404);
    } finally {
      await closed.stop();
    }
  });
});

function schemaOf(part: unknown, type: string): unknown {
  return (part as { content?: Record<string, { schema?: unknown }> } | undefined)?.content?.[type]?.schema;
}
