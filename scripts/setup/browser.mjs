import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = [
  'chromium',
  'google-chrome',
  'google-chrome-stable',
  'chromium-browser',
  'microsoft-edge',
];

/** A browser for the page test: SIGHTLINE_BROWSER, else the first one on PATH; undefined without any. */
export function findBrowser(env = process.env) {
  if (env.SIGHTLINE_BROWSER) return env.SIGHTLINE_BROWSER;
  for (const name of NAMES) {
    for (const folder of (env.PATH ?? '').split(delimiter)) {
      if (existsSync(join(folder, name))) return join(folder, name);
    }
  }
  return undefined;
}
