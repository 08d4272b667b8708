// A pipeline as a program: what a YAML file cannot say in a line, and completion while it is written.
//   node bin/sightline.js validate pipelines/examples/yard.ts     (Node 22.18 or newer)
import { definePipeline } from 'sightline/spec';

const gates = ['north', 'south', 'east'];

export default definePipeline({
  id: 'yard',
  infer: { model: 'centernet-512x384', interval: 2, classes: ['person', 'truck'] },
  latency: { budgetMs: 400, drop: 'oldest' },
  streams: gates.map((gate) => ({
    id: `gate-${gate}`,
    // The main gate is the last one that a full box gives up.
    priority: gate === 'north' ? 90 : 50,
    source: { type: 'rtsp', url: `rtsp://${gate}.cameras.example/main` } as const,
  })),
});
