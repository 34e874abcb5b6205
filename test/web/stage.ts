import type { Browser } from 'playwright-core';
import { createDatabase } from '../environment/database.js';
import { accounts, startInstance, type Instance } from '../instance.js';
import { launchBrowser } from './browser.js';
import { buildPage } from './built-page.js';

/** An instance on an empty database that serves the page as it is now, and a browser. */
export interface Stage {
  readonly browser: Browser;
  readonly instance: Instance;
  /** Also closes what was added to it, the newest first. */
  close(): Promise<void>;
  add(close: () => unknown): void;
}

export async function openStage(): Promise<Stage> {
  const closings: (() => unknown)[] = [];
  const close = async () => {
    for (let next = closings.pop(); next; next = closings.pop()) await next();
  };
  try {
    const page = await buildPage();
    closings.push(() => page.remove());
    const database = await createDatabase();
    closings.push(() => database.drop());
    const instance = await startInstance(database.url, undefined, { webDir: page.dir, accounts });
    closings.push(() => instance.stop());
    const browser = await launchBrowser();
    closings.push(() => browser.close());
    return { browser, instance, close, add: (closing) => closings.push(closing) };
  } catch (error) {
    await close();
    throw error;
  }
}
