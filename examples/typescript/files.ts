// Reads files of the file sink: node --import tsx examples/typescript/files.ts data/cam-1/2026-01-31/*.pb
import { readFile } from 'sightline/consumer';
import { show } from './show.ts';

for (const path of process.argv.slice(2)) {
  for await (const record of readFile(path)) show(record);
}
