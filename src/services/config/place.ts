import { statSync } from 'node:fs';
import { join } from 'node:path';

/** Where a server's configuration lies. */
export interface ConfigPlace {
  readonly file: string;
  /** Folder of pipeline files that is watched, beside `file`. */
  readonly pipelinesDir?: string;
}

/** `--config` names a file, or a folder with `sightline.yaml` and a folder `pipelines`. */
export function configPlace(given: string): ConfigPlace {
  const isFolder = statSync(given, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder) return { file: given };
  return { file: join(given, 'sightline.yaml'), pipelinesDir: join(given, 'pipelines') };
}
