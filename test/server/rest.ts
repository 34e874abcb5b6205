import { z } from 'zod';
import { Problem } from '../../src/rest/answers.js';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

export interface RawAnswer {
  status: number;
  headers: Headers;
  text: string;
}

/** REST as an app sees it. Every answer is held against its schema, to the last field. */
export class Rest {
  constructor(
    readonly url: string,
    readonly credential?: string,
  ) {}

  /** The good answer. @throws when it is a refusal, or has another shape */
  async ok<S extends z.ZodType>(method: Method, path: string, schema: S, body?: unknown): Promise<z.output<S>> {
    const answer = await this.send(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path} was answered ${answer.status}: ${answer.text}`);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    return exactly(schema, JSON.parse(answer.text));
  }

  /** The refusal. @throws when it is none, or no `application/problem+json` as promised */
  async refused(method: Method, path: string, body?: unknown): Promise<Problem> {
    return problemOf(await this.send(method, path, body));
  }

  async send(method: Method, path: string, body?: unknown): Promise<RawAnswer> {
    const json: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    return this.sendRaw(method, path, json, body === undefined ? undefined : JSON.stringify(body));
  }

  async sendRaw(method: Method, path: string, headers: Record<string, string>, body?: string): Promise<RawAnswer> {
    const authorization: Record<string, string> =
      this.credential === undefined ? {} : { authorization: `Bearer ${this.credential}` };
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...authorization, ...headers },
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
}

export function problemOf(answer: RawAnswer): Problem {
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = exactly(Problem, JSON.parse(answer.text));
  expect(problem.status).toBe(answer.status);
  return problem;
}

/** What the schema makes of the value, which has to be the value itself: no field too many, none of another form. */
export function exactly<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.parse(value);
  expect(parsed).toEqual(value);
  return parsed;
}
