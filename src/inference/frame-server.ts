import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A worker says whose frames it wants in one line no longer than this. */
const MAX_HELLO = 256;
const LATE = 1;

/** The line to one graph of a worker. */
export interface FrameLine {
  send(frame: {
    readonly bytes: Uint8Array;
    readonly suffix: string;
    readonly late: boolean;
  }): void;
}

export interface FrameServerOptions {
  /** A graph wants the frames of a stream. `onClosed` of what it returns is called when the line ends. */
  readonly onLine: (streamId: string, line: FrameLine) => { onClosed(): void } | undefined;
}

/**
 * Where the graphs of one worker fetch their frames: a Unix socket in a folder that only this user can enter. Each frame
 * goes as `u32le length | u8 flags | u8 length of the suffix | suffix | sightline.v1.Image` (native/core/frames).
 */
export class FrameServer {
  readonly socketPath: string;
  readonly #folder: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #onLine: FrameServerOptions['onLine'];

  private constructor(folder: string, { onLine }: FrameServerOptions) {
    this.#folder = folder;
    this.socketPath = join(folder, 'frames');
    this.#onLine = onLine;
    this.#server = createServer((socket) => this.#greet(socket));
  }

  /** The folder's name is short: the path of a socket has 107 bytes at most. */
  static async open(options: FrameServerOptions): Promise<FrameServer> {
    const folder = await mkdtemp(join(tmpdir(), 'sightline-infer-'));
    await chmod(folder, 0o700);
    const server = new FrameServer(folder, options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject);
      server.#server.listen(server.socketPath, resolve);
    });
    return server;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  #greet(socket: Socket): void {
    let hello = '';
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // `close` follows, and says all there is to know.
    socket.on('error', () => undefined);
    const onData = (chunk: Buffer): void => {
      hello += chunk.toString('utf8');
      const end = hello.indexOf('\n');
      if (end < 0 && hello.length <= MAX_HELLO) return;
      socket.off('data', onData);
      // Nothing more is said; reading on shows the end.
      socket.resume();
      const taken = this.#onLine(hello.slice(0, Math.max(0, end)), lineOver(socket));
      if (taken === undefined) socket.destroy();
      else socket.on('close', () => taken.onClosed());
    };
    socket.on('data', onData);
  }
}

function lineOver(socket: Socket): FrameLine {
  return {
    send: ({ bytes, suffix, late }) => {
      const text = Buffer.from(suffix, 'utf8');
      const head = Buffer.alloc(6 + text.length);
      head.writeUInt32LE(2 + text.length + bytes.byteLength, 0);
      head.writeUInt8(late ? LATE : 0, 4);
      head.writeUInt8(text.length, 5);
      text.copy(head, 6);
      socket.cork();
      socket.write(head);
      socket.write(bytes);
      socket.uncork();
    },
  };
}
