// What a stream of `sightline fake-camera` costs: `node --import tsx bench/fake-camera.ts [streams] [clip] [seconds]`.
// The viewers run in this process and only read; the bare loop sends as many bytes in as many writes through sockets.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { PATHS } from '../src/common/paths.ts';
import { startCameraProcess } from '../src/services/camera-process.ts';

const [streams = '100', clip = PATHS.demoClip, seconds = '10'] = process.argv.slice(2);
const count = Number(streams);
const TICKS_PER_SECOND = 100;

/** CPU seconds and resident bytes of a process. */
function usage(pid: number): { cpu: number; rss: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    rss: Number(fields[21]) * 4096,
  };
}

async function view(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const ask = async (method: string, at: string, more = ''): Promise<void> => {
    socket.write(`${method} ${at} RTSP/1.0\r\nCSeq: 1\r\n${more}\r\n`);
    await once(socket, 'data');
  };
  await ask('SETUP', `${url}/stream=0`, 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n');
  await ask('PLAY', url, 'Session: 1\r\n');
  return socket;
}

const gone: { frames: number; dropped: number; latestMs: number }[] = [];
await using camera = await startCameraProcess({
  args: ['--clip', clip, '--count', streams, '--port', '0', '--fps', '30', '--tell-viewers'],
  what: 'the camera of the benchmark',
  onLine: (line) => gone.push(JSON.parse(line) as (typeof gone)[number]),
});
const sockets = await Promise.all(camera.urls.map(view));
let bytes = 0;
for (const socket of sockets) socket.on('data', (chunk) => (bytes += chunk.length));
await pause(1000);
const before = usage(camera.pid);
const readBefore = bytes;
const start = performance.now();
await pause(Number(seconds) * 1000);
const after = usage(camera.pid);
const lasted = (performance.now() - start) / 1000;
const rate = (bytes - readBefore) / lasted;
for (const socket of sockets) socket.destroy();
while (gone.length < count) await pause(20);

// The same bytes in the same number of writes, and nothing else.
const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
await once(server, 'listening');
const sink = connect((server.address() as { port: number }).port, '127.0.0.1');
await once(sink, 'connect');
const frame = Buffer.alloc(Math.round(rate / count / 30));
const bareStart = process.cpuUsage();
for (let sent = 0; sent < count * 30; sent++) {
  if (!sink.write(frame)) await once(sink, 'drain');
}
const bare = process.cpuUsage(bareStart);
sink.destroy();
server.close();

const cores = (after.cpu - before.cpu) / lasted;
const frames = gone.reduce((sum, one) => sum + one.frames, 0);
const dropped = gone.reduce((sum, one) => sum + one.dropped, 0);
const latest = Math.max(...gone.map(({ latestMs }) => latestMs));
console.log(`${count} streams of 30 frames/s, ${((rate * 8) / 1e6).toFixed(0)} Mbit/s together`);
console.log(
  `camera: ${cores.toFixed(3)} cores, ${((cores / count) * 100).toFixed(3)} % of a core a stream`,
);
console.log(`memory: ${(after.rss / 1e6).toFixed(0)} MB resident`);
console.log(`frames sent ${frames}, dropped ${dropped}, at most ${latest} ms late`);
console.log(
  `bare writes of Node, sender and reader: ${((bare.user + bare.system) / 1e6).toFixed(3)} cores`,
);
