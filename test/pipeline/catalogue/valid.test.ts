import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lowered } from './build.ts';
import { dynamicGraph, PLATFORMS, rtspsrcGraph, staticGraph } from './canonical.ts';
import { check, errors } from './facts.ts';

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
  }
});
