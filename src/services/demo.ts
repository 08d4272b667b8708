import { PATHS } from '../common/paths.ts';
import type { DemoConfig } from './config/demo.ts';
import { startDemoAws } from './demo-aws.ts';
import { startDemoCamera } from './demo-camera.ts';
import { startDemoMqtt } from './demo-mqtt.ts';

/** Starts what the `demo` section names, all at once, and says what to try. Closing it ends all of them. */
export async function startDemo(
  demo: DemoConfig,
  say: (line: string) => void,
): Promise<AsyncDisposable> {
  const { camera, mqtt, aws } = demo;
  const started = await Promise.allSettled([
    ...(camera === undefined
      ? []
      : [startDemoCamera({ ...camera, clip: camera.clip ?? PATHS.demoClip })]),
    ...(mqtt === undefined ? [] : [startDemoMqtt(mqtt.port)]),
    ...(aws === undefined ? [] : [startDemoAws(aws)]),
  ]);
  const running = started.flatMap((part) => (part.status === 'fulfilled' ? [part.value] : []));
  const dispose = async (): Promise<void> => {
    await Promise.allSettled(running.map((part) => part[Symbol.asyncDispose]()));
  };
  const failure = started.find((part) => part.status === 'rejected');
  if (failure !== undefined) {
    await dispose();
    throw failure.reason;
  }
  if (camera !== undefined) say(`camera   rtsp://127.0.0.1:${camera.port}${camera.path}`);
  if (mqtt !== undefined) say(`MQTT     mqtt://127.0.0.1:${mqtt.port}  topic sightline/#`);
  if (aws !== undefined) {
    say(`S3, SQS  http://127.0.0.1:${aws.port}  bucket ${aws.bucket}, queue ${aws.queue}`);
  }
  return { [Symbol.asyncDispose]: dispose };
}
