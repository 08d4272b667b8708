import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { SightlineError } from './common/errors.ts';
import { ROOT } from './common/paths.ts';
import type { CompileFlags } from './services/compile.ts';
import type { FakeCameraOptions } from './services/fake-camera.ts';
import type { QueryFlags } from './services/query/command.ts';
import type { TailFlags } from './services/tail/tail.ts';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
};

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const printError = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function port(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > 65_535)
    throw new InvalidArgumentError('A port is 0 to 65535.');
  return value;
}

function count(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('A number from 0 to 9999.');
  return Number(text);
}

function rows(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value < 1 || value > 10_000)
    throw new InvalidArgumentError('A number from 1 to 10000.');
  return value;
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (!/^\d{1,6}$/.test(text) || value < 100)
    throw new InvalidArgumentError('Milliseconds, 100 to 999999.');
  return value;
}

function rate(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1000))
    throw new InvalidArgumentError('A rate is above 0, up to 1000.');
  return value;
}

function list(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

const program = new Command('sightline')
  .description('Cameras in, object metadata out')
  .version(version)
  .showHelpAfterError();

// Each command imports its parts when it runs: `sightline --help` need not load a web server.
program
  .command('serve')
  .description('Run the server: streams, delivery, API and page')
  .requiredOption(
    '-c, --config <path>',
    'configuration (YAML or JSON; configs/sightline.yaml shows every key), or a folder: DIR/sightline.yaml, and DIR/pipelines/ whose files are watched',
  )
  .option('--port <port>', 'HTTP port in place of the configured one', port)
  .action(async (options: { config: string; port?: number }) => {
    const { serve } = await import('./services/serve.ts');
    await serve({
      config: options.config,
      version,
      ...(options.port === undefined ? {} : { port: options.port }),
    });
  });

program
  .command('react')
  .description('Run rules over frames that other servers sent to a queue or broker')
  .requiredOption('-c, --config <path>', 'configuration with `rules` and `inputs` (docs/rules.md)')
  .action(async (options: { config: string }) => {
    const { react } = await import('./services/rules/react.ts');
    await react({ config: options.config, version });
  });

program
  .command('receive')
  .description('Run a receiver: cameras are recorded and frames of them queued, no detector runs')
  .requiredOption(
    '-c, --config <path>',
    'configuration as for serve, with "recording" (configs/receive.yaml), or a folder',
  )
  .option('--port <port>', 'HTTP port in place of the configured one', port)
  .action(async (options: { config: string; port?: number }) => {
    const { serve } = await import('./services/serve.ts');
    await serve({
      config: options.config,
      version,
      role: 'receive',
      ...(options.port === undefined ? {} : { port: options.port }),
    });
  });

program
  .command('infer')
  .description('Work through a queue of frames: detect, track, and send what is found to sinks')
  .requiredOption('-c, --config <path>', 'configuration of its own (configs/infer.yaml)')
  .option('--port <port>', 'HTTP port in place of the configured one', port)
  .action(async (options: { config: string; port?: number }) => {
    const { infer } = await import('./services/infer/infer.ts');
    await infer({ ...options, version });
  });

program
  .command('validate')
  .description('Check pipeline files; every problem with its line')
  .argument('<file...>')
  .option('--models <dir>', 'folder of models')
  .action(async (files: string[], options: { models?: string }) => {
    const { validateFile } = await import('./pipeline/commands.ts');
    const { loadModels } = await import('./models/catalog.ts');
    const models = await loadModels(options.models);
    for (const file of files) {
      process.exitCode =
        (await validateFile(file, { models, print, printError })) || process.exitCode || 0;
    }
  });

program
  .command('compile')
  .description('Print what a pipeline file becomes')
  .argument('<file>')
  .addOption(
    new Option('--backend <name>', 'engine to compile for')
      .choices(['cpu', 'deepstream'])
      .default('cpu'),
  )
  .addOption(
    new Option('--platform <name>', 'for deepstream: kind of machine; dgpu is x86-64 with a GPU')
      .choices(['dgpu', 'jetson', 'orin-nano', 'sbsa'])
      .default('dgpu'),
  )
  .addOption(
    new Option('--deepstream <version>', 'for deepstream: its version')
      .choices(['9.1', '9.0'])
      .default('9.1'),
  )
  .addOption(
    new Option('--format <name>', 'how to print it; text has all, also the generated files')
      .choices(['text', 'dot', 'launch', 'json', 'files'])
      .default('text'),
  )
  .option('--out <dir>', 'for deepstream: write the generated files there')
  .option('--codec <name>', 'for launch: the codec to show where the source offers several')
  .option('--secrets', 'for launch: print passwords, so that the line runs')
  .option('--models <dir>', 'folder of models')
  .action(async (file: string, options: CompileFlags) => {
    const { compile } = await import('./services/compile.ts');
    process.exitCode = await compile(file, options, { print, printError });
  });

const models = program.command('models').description('Manage the models of models/');
models
  .command('list')
  .description('Every model and whether it is ready')
  .action(async () => {
    await (await import('./models/commands.ts')).modelsList(print);
  });
models
  .command('show')
  .description('One model: manifest, tensors, labels')
  .argument('<name>')
  .action(async (name: string) => (await import('./models/commands.ts')).modelsShow(name, print));
models
  .command('pull')
  .description("Make a model's ONNX file from its source, or download it")
  .argument('<name>')
  .option('--url <url>', 'download from here')
  .option('--sha256 <hex>', 'checksum of the file behind --url')
  .action(async (name: string, options: { url?: string; sha256?: string }) =>
    (await import('./models/commands.ts')).modelsPull(name, print, options),
  );
models
  .command('add')
  .description('Install a model of your own from its manifest')
  .argument('<manifest>')
  .option('--onnx <file>', 'the ONNX file, when it does not lie where the manifest says')
  .option('--replace', 'replace an installed model of the same name')
  .action(async (manifest: string, options: { onnx?: string; replace?: boolean }) =>
    (await import('./models/commands.ts')).modelsAdd(manifest, print, options),
  );

models
  .command('triton')
  .description('Lay a model out in a Triton repository, for the engine nvinferserver')
  .argument('<name>')
  .argument('<repository>', 'folder of Triton models')
  .option('--batch <n>', 'largest batch (16)', count)
  .addOption(new Option('--precision <name>', 'of TensorRT').choices(['fp32', 'fp16']))
  .option('--gpu <n>', 'CUDA device (0)', count)
  .option('--engine-cache <dir>', 'folder where Triton keeps its engines')
  .action(
    async (
      name: string,
      repository: string,
      options: {
        batch?: number;
        precision?: 'fp32' | 'fp16';
        gpu?: number;
        engineCache?: string;
      },
    ) => (await import('./models/commands.ts')).modelsTriton(name, repository, print, options),
  );

program
  .command('fleet')
  .description('Look at the boxes that share streams')
  .command('status')
  .description('Nodes, assignments, epochs and the assigner, as the store has them')
  .requiredOption('-c, --config <path>', 'configuration, as for serve')
  .option('--json', 'print JSON')
  .action(async (options: { config: string; json?: boolean }) => {
    const { fleetStatus } = await import('./services/fleet/status.ts');
    await fleetStatus(options, print);
  });

program
  .command('tail')
  .description("Show what arrives at a sink's destination, as text; takes nothing from anybody")
  .requiredOption('-s, --sink <id>', 'sink of the configuration')
  .requiredOption('-c, --config <path>', 'configuration, as for serve')
  .option('--stream <id>', 'records of this stream alone')
  .option('--json', 'a line of JSON for each record')
  .option('-n, --count <n>', 'end after so many records', count)
  .option(
    '--peek-visibility <s>',
    'for sqs: how long messages that are shown stay hidden from their consumers',
    count,
  )
  .action(async (options: TailFlags) => {
    const { tail } = await import('./services/tail/tail.ts');
    const end = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort());
    await tail(options, { signal: end.signal, print, tell: printError });
  });

program
  .command('query')
  .description('Print the rows of one SELECT over what the file sinks keep (docs/query.md)')
  .argument('[sql]', 'over the tables detections, frames and segments (docs/query.md)')
  .requiredOption('-c, --config <path>', 'configuration, as for serve')
  .option('-p, --param <value>', 'for a ? of the query, in order', list)
  .addOption(
    new Option('--format <name>', 'how to print the rows; json: an object a line')
      .choices(['table', 'json', 'csv'])
      .default('table'),
  )
  .option('--limit <n>', 'rows at most (1000)', rows)
  .option('--timeout <ms>', "limit of the time (the configuration's)", milliseconds)
  .option('--saved <name>', 'a query by its name')
  .option('--athena', 'ask Amazon Athena (query.athena of the configuration)')
  .action(async (sql: string | undefined, options: QueryFlags) => {
    const { queryCommand } = await import('./services/query/command.ts');
    const end = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort());
    await queryCommand(sql, options, { signal: end.signal, print, tell: printError });
  });

program
  .command('fake-camera')
  .description('Serve a clip as RTSP cameras whose frames carry their number and time')
  .option('-n, --count <n>', 'streams, at /cam1 and on (1)', count)
  .option('--clip <file>', 'H.264 or H.265 video to loop (the demo clip)')
  .option('--fps <rate>', "frames a second (the clip's own)", rate)
  .option('--port <port>', 'RTSP port (8554; 0: any free one)', port)
  .option('--address <ip>', 'listen here (127.0.0.1)')
  .option('--user <name>', 'ask for this user; the password is in SIGHTLINE_CAMERA_PASSWORD')
  .option('--password-fd <fd>', 'read the password from this descriptor', count)
  .option('--fault <fault>', 'misbehave: NAME[=VALUE][@START[+LENGTH]][#STREAM[-STREAM]]', list)
  .option('--overlay', 'draw the frame number and the clock into the picture')
  .option('--json', 'print the URLs as one JSON object')
  .action(async (options: FakeCameraOptions) => {
    const { fakeCamera } = await import('./services/fake-camera.ts');
    const end = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort());
    await fakeCamera(options, { signal: end.signal, print, tell: printError });
  });

program
  .command('ground-truth')
  .description("Count lost, doubled and swapped frames of a fake camera's recordings")
  .argument('<file...>', 'MP4 files, fragmented or not, or bare streams, in their order')
  .option('--json', 'print JSON')
  .action(async (files: string[], options: { json?: boolean }) => {
    const { groundTruth } = await import('./ground-truth/command.ts');
    process.exitCode = await groundTruth(files, { ...options, print });
  });

program
  .command('doctor')
  .description('Check this machine and say how to mend what is wrong')
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) => {
    const { runDoctor } = await import('./services/doctor.ts');
    process.exitCode = await runDoctor(options);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof SightlineError)) throw error;
  printError(`${error.code}: ${error.message}`);
  for (const { pointer, message, line, column } of error.problems) {
    printError(
      `  ${line === undefined ? '' : `${line}:${column ?? 1} `}${pointer || '/'} ${message}`,
    );
  }
  process.exitCode = 1;
}
