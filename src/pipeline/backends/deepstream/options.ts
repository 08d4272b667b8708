import type { InferFileWriter } from '../infer-file.ts';
import type { DeepStreamVersion, PlatformData } from './platform.ts';

/** What lowering to DeepStream needs beside the pipeline. It reads no file and asks no machine. */
export interface DeepStreamOptions {
  readonly platform: PlatformData;
  readonly deepstream: DeepStreamVersion;
  /** Absolute folder of generated files and of the plugin registries. */
  readonly filesDir: string;
  /** Folder of DeepStream's shared libraries, as the target machine has it. */
  readonly libraryDir: string;
  /** Absolute path of libsightline_parsers.so. */
  readonly parserLibrary: string;
  /** Absolute folder that relative paths of file sources start at. */
  readonly workingDir: string;
  readonly inferFile: InferFileWriter;
}
