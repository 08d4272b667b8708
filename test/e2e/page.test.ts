import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { startCamera } from '../support/camera.ts';
import { fileConfig } from '../support/config.ts';
import { TestServer, temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';

const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

test('the page shows streams as they come, live with a picture, and go', async (context) => {
  const executablePath = process.env['SIGHTLINE_BROWSER'];
  if (executablePath === undefined) {
    context.skip('No browser on this machine: set SIGHTLINE_BROWSER to a Chromium');
    return;
  }
  await using folder = await temporaryFolder();
  await using camera = await startCamera();
  await using server = await TestServer.start(folder.path, {
    ...fileConfig(folder.path),
    fleet: { node: 'box-1', store: { type: 'sqlite', file: 'fleet.sqlite' } },
    rules: [{ id: 'somebody', kind: 'class-appears', classes: ['person'], severity: 'warning' }],
  });
  const browser = await chromium.launch({ executablePath, args: BROWSER_FLAGS });
  try {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(server.url);
    await page.getByText('0 of 0 streams live').waitFor();
    await page.fill('#add [name="id"]', 'door');
    await page.fill('#add [name="url"]', camera.url);
    await page.click('#add button');
    // Without a reload: the page refreshes by itself.
    await page.locator('#stream-door[data-state="live"]').waitFor({ timeout: 30_000 });
    const picture = page.locator('#stream-door img');
    await picture.waitFor({ timeout: 10_000 });
    const first = await picture.getAttribute('src');
    const width = await picture.evaluate(
      (image) => (image as unknown as { naturalWidth: number }).naturalWidth,
    );
    assert.equal(width, 768);
    await until(
      'the picture changes',
      10_000,
      async () => (await picture.getAttribute('src')) !== first,
    );
    await page.locator('#stream-door .objects span').first().waitFor({ timeout: 20_000 });
    const found = page.locator('#rule-events tr', { hasText: 'somebody' }).first();
    await found.filter({ hasText: 'person' }).waitFor({ timeout: 20_000 });
    await page.locator('#fleet tr', { hasText: 'box-1' }).filter({ hasText: 'here' }).waitFor();
    const sink = page.locator('#sink-files');
    await sink.locator('.state', { hasText: 'ok' }).waitFor();
    await sink.locator('[data-act="pause"]').click();
    await sink.locator('.state', { hasText: 'paused' }).waitFor({ timeout: 10_000 });
    await sink.locator('[data-act="resume"]').click();
    await sink.locator('.state', { hasText: 'ok' }).waitFor({ timeout: 10_000 });
    await page.locator('#pipelines tr', { hasText: '1 live' }).waitFor();
    await page.locator('#events li', { hasText: 'stream.live' }).waitFor();
    await page.locator('#stream-door [data-toggle]', { hasText: 'Disable' }).click();
    await page.locator('#stream-door[data-state="disabled"]').waitFor({ timeout: 20_000 });
    await page.locator('#stream-door [data-toggle]', { hasText: 'Enable' }).click();
    await page.locator('#stream-door[data-state="live"]').waitFor({ timeout: 30_000 });
    page.once('dialog', (dialog) => void dialog.accept());
    await page.locator('#stream-door [data-remove]').click();
    await page.locator('#stream-door').waitFor({ state: 'detached', timeout: 10_000 });
    assert.deepEqual(errors, []);
  } finally {
    await browser.close();
  }
});
