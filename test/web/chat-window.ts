import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';

/**
 * One person's browser window, driven by what a person sees: labels, roles and words. Each has its own storage, so two of
 * them are two people.
 */
export class ChatWindow {
  /** What should never happen: script errors, console errors, dialogs. Lost connections are no fault of the page. */
  readonly faults: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.faults.push(`script error: ${error.message}`));
    page.on('dialog', (dialog) => {
      this.faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (line) => {
      if (line.type() === 'error' && !/net::ERR_|WebSocket connection/.test(line.text())) this.faults.push(line.text());
    });
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<ChatWindow> {
    const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 }, ...options });
    const window = new ChatWindow(context, await context.newPage());
    await window.page.goto(url);
    return window;
  }

  async enter(name: string): Promise<this> {
    await this.page.getByLabel('Your name').fill(name);
    await this.page.getByRole('button', { name: 'Come in' }).click();
    await this.page.getByRole('heading', { name: 'Public rooms' }).waitFor();
    return this;
  }

  async createRoom(name: string, topic = ''): Promise<void> {
    await this.page.getByRole('button', { name: 'New room' }).click();
    const dialog = this.page.getByRole('dialog');
    await dialog.getByLabel('Name').fill(name);
    await dialog.getByLabel('Topic').fill(topic);
    await dialog.getByRole('button', { name: 'Create room' }).click();
    await this.title(name).waitFor();
  }

  /** Finds the room by the search, as one does who just came. */
  async join(name: string): Promise<void> {
    await this.page.getByLabel('Find a room').fill(name);
    await this.page.getByRole('button', { name: `Join ${name}`, exact: true }).click();
    await this.title(name).waitFor();
    await this.page.getByLabel('Find a room').fill('');
  }

  async openRoom(name: string): Promise<void> {
    await this.page.getByRole('link', { name }).click();
    await this.title(name).waitFor();
  }

  /** Writes and presses Enter; what becomes of it, `said` tells. */
  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: /^Message to / });
  }

  title(name: string): Locator {
    return this.page.getByRole('main').getByRole('heading', { name, exact: true, level: 2 });
  }

  get timeline(): Locator {
    return this.page.getByRole('region', { name: 'Messages' });
  }

  /** The messages that the server has, from top to bottom; those that wait to be sent are not among them. */
  get stored(): Locator {
    return this.timeline.locator('[data-seq]');
  }

  /** The stored messages of exactly this text. */
  said(text: string): Locator {
    return this.stored.filter({ has: this.page.getByText(text, { exact: true }) });
  }

  async texts(): Promise<string[]> {
    return this.stored.locator('.bubble').allInnerTexts();
  }

  /** What is offered for the stored message of this text. */
  async tools(text: string): Promise<Locator> {
    const message = this.stored.filter({ has: this.page.locator('.bubble', { hasText: text }) });
    await message.locator('.bubble').hover();
    return message.getByRole('toolbar');
  }

  async react(text: string, emoji: string): Promise<void> {
    const tools = await this.tools(text);
    await tools.getByRole('button', { name: 'React', exact: true }).click();
    await tools.getByRole('button', { name: emoji }).click();
  }

  /** An entry of the message's menu. */
  async choose(text: string, entry: string): Promise<void> {
    const tools = await this.tools(text);
    await tools.getByRole('button', { name: 'More' }).click();
    await tools.getByRole('button', { name: entry, exact: true }).click();
  }

  close(): Promise<void> {
    return this.context.close();
  }
}
