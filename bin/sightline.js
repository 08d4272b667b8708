#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';

const cli = new URL('../dist/cli.js', import.meta.url);
if (!existsSync(cli)) {
  process.stderr.write('Sightline is not built yet. Run `npm run setup` in its folder first.\n');
  process.exit(1);
}
// Node 22.8 and later keep compiled code from one start to the next (in a folder of the system's temporary files).
module.enableCompileCache?.();
await import(cli.href);
