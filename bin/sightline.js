#!/usr/bin/env node
import { existsSync } from 'node:fs';

const cli = new URL('../dist/cli.js', import.meta.url);
if (!existsSync(cli)) {
  process.stderr.write('Sightline is not built yet. Run `npm run setup` in its folder first.\n');
  process.exit(1);
}
await import(cli.href);
