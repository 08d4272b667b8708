import { realpath } from 'node:fs/promises';
import type { Host } from './host.ts';

/** DeepStream's own link to its newest version. */
export const DEEPSTREAM_FOLDER = '/opt/nvidia/deepstream/deepstream';

/** Files without which no pipeline runs: what they are, by path in the folder. */
export const NEEDED_FILES: Readonly<Record<string, string>> = {
  'lib/gst-plugins/libnvdsgst_infer.so': 'nvinfer',
  'lib/gst-plugins/libnvdsgst_multistream.so': 'nvstreammux',
  'lib/libnvds_meta.so': 'metadata',
  'lib/libnvdsgst_meta.so': 'metadata',
};

export interface Installation {
  /** Such as `9.1`; undefined when nothing in the folder tells. */
  readonly version?: string;
  /** Needed files that are missing, as absolute paths of that machine. */
  readonly missing: readonly string[];
}

/** The DeepStream of a machine; undefined where none is installed. */
export async function findInstallation(host: Host): Promise<Installation | undefined> {
  if (!(await host.exists(DEEPSTREAM_FOLDER))) return undefined;
  const version = await installedVersion(host);
  const missing: string[] = [];
  for (const file of Object.keys(NEEDED_FILES)) {
    const path = `${DEEPSTREAM_FOLDER}/${file}`;
    if (!(await host.exists(path))) missing.push(path);
  }
  return { ...(version === undefined ? {} : { version }), missing };
}

/** From the file `version`, else from the name that the link leads to (`deepstream-9.1`). */
async function installedVersion(host: Host): Promise<string | undefined> {
  const text = await host.readText(`${DEEPSTREAM_FOLDER}/version`);
  const stated = /(\d+\.\d+(?:\.\d+)?)/.exec(text?.split('\n')[0] ?? '')?.[1];
  if (stated !== undefined) return stated;
  const target = await realpath(host.path(DEEPSTREAM_FOLDER)).catch(() => '');
  return /deepstream-(\d+\.\d+)/.exec(target)?.[1];
}
