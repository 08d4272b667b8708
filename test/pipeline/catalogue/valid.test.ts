import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseDocument } from '../../../src/common/document.ts';
import { lowerCpu } from '../../../src/pipeline/backends/cpu.ts';
import { resolve } from '../../../src/pipeline/resolve.ts';
import { PipelineSpec } from '../../../src/pipeline/spec.ts';
import { CPU, ENV, MODELS, PIPELINE_FILES, PIPELINES } from '../fixtures.ts';
import { lowered } from './build.ts';
import { dynamicGraph, PLATFORMS, rtspsrcGraph, staticGraph } from './canonical.ts';
import { EXAMPLES } from './examples.ts';
import { check, errors } from './facts.ts';
import { full, fullNew, fullTriton } from './full.ts';

describe('graphs that DeepStream documents', () => {
  for (const platform of PLATFORMS) {
    it(`has nothing against the static graph on ${platform}`, () => {
      assert.deepEqual(errors(check(lowered(staticGraph(platform, 2)), platform)), []);
      assert.deepEqual(errors(check(lowered(staticGraph(platform, 16)), platform)), []);
      assert.deepEqual(errors(check(lowered(staticGraph(platform, 1, false)), platform)), []);
    });
    it(`has nothing against the dynamic graph on ${platform}`, () => {
      assert.deepEqual(errors(check(lowered(dynamicGraph(8)), platform)), []);
    });
    it(`has nothing against a graph on rtspsrc on ${platform}`, () => {
      assert.deepEqual(errors(check(lowered(rtspsrcGraph(platform)), platform)), []);
    });
    it(`has nothing against a pipeline with all its files on ${platform}`, () => {
      assert.deepEqual(errors(check(full(platform), platform)), []);
    });
  }
  it('has nothing against the new muxer and Triton', () => {
    assert.deepEqual(errors(check(fullNew())), []);
    assert.deepEqual(errors(check(fullTriton())), []);
  });
});

describe("shapes of NVIDIA's samples", () => {
  for (const { name, platforms, graph, environment } of EXAMPLES) {
    for (const platform of platforms) {
      it(`has nothing against ${name} on ${platform}`, () => {
        const pipeline = lowered(graph, environment === undefined ? {} : { environment });
        assert.deepEqual(errors(check(pipeline, platform)), []);
      });
    }
  }
});

describe('graphs of the CPU, which GStreamer runs', () => {
  for (const file of PIPELINE_FILES) {
    const text = readFileSync(join(PIPELINES, file), 'utf8');
    const cpu = !/^(accelerator: require-gpu|secondary:|annotated:)/m.test(text);
    it(`has nothing against ${file}`, { skip: cpu ? false : 'it needs a GPU' }, () => {
      const spec = parseDocument(text, PipelineSpec, { env: ENV }).value;
      const pipeline = lowerCpu(resolve(spec, { models: MODELS }), CPU);
      assert.deepEqual(errors(check(pipeline)), []);
    });
  }
});
