import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { type PublishPacket, PublishWriter } from '../../src/sinks/mqtt/publish-writer.ts';

// Read back by the parser that mqtt.js itself uses.
interface Parser extends EventEmitter {
  parse(bytes: Uint8Array): number;
}
const { parser } = createRequire(import.meta.resolve('mqtt'))('mqtt-packet') as {
  parser(options: { protocolVersion: number }): Parser;
};

interface Packet {
  readonly cmd: string;
  readonly qos: number;
  readonly dup: boolean;
  readonly retain: boolean;
  readonly messageId: number;
  readonly topic: string;
  readonly payload: Buffer;
  readonly properties?: Record<string, unknown>;
}

function read(parts: readonly Uint8Array[], protocolVersion: number): Packet[] {
  const packets: Packet[] = [];
  const reader = parser({ protocolVersion });
  reader.on('packet', (packet: Packet) => packets.push(packet));
  reader.on('error', (error) => assert.fail(error as Error));
  reader.parse(Buffer.concat(parts));
  return packets;
}

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const packet: fc.Arbitrary<PublishPacket> = fc.record({
  topic: text.filter((topic) => !/[+#]/.test(topic)),
  body: fc.uint8Array({ maxLength: 300 }),
  options: fc.record(
    {
      retain: fc.boolean(),
      properties: fc.record(
        {
          payloadFormatIndicator: fc.boolean(),
          messageExpiryInterval: fc.integer({ min: 1, max: 0xffff_ffff }),
          contentType: text,
          userProperties: fc.dictionary(
            text.filter((name) => name !== '__proto__'),
            text,
          ),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ['retain'] },
  ),
});

test('packets of the publish writer are read as they were meant', () => {
  const numbered = fc.tuple(packet, fc.integer({ min: 1, max: 65_535 }));
  fc.assert(
    fc.property(
      fc.array(numbered, { maxLength: 10 }),
      fc.constantFrom(4 as const, 5 as const),
      (packets, version) => {
        const writer = new PublishWriter(version);
        for (const [one, id] of packets) assert.ok(writer.add(one, id));
        const found = read(writer.take(), version);
        assert.equal(found.length, packets.length);
        for (const [index, [{ topic, body, options }, id]] of packets.entries()) {
          const one = found[index]!;
          assert.deepEqual(
            [one.cmd, one.qos, one.dup, one.retain, one.messageId, one.topic],
            ['publish', 1, false, options.retain, id, topic],
          );
          assert.deepEqual(new Uint8Array(one.payload), body);
          const { userProperties = {}, ...plain } = options.properties ?? {};
          const { userProperties: theirs = {}, ...others } = one.properties ?? {};
          assert.deepEqual({ ...others }, version === 5 ? plain : {});
          assert.deepEqual({ ...(theirs as object) }, version === 5 ? { ...userProperties } : {});
        }
      },
    ),
  );
});

test('large bodies and many packets leave in order, and bytes that were taken stay', () => {
  const writer = new PublishWriter(5);
  const sizes = [10, 20_000, 127, 16_384, 2_097_152, 0, ...Array.from({ length: 900 }, () => 1000)];
  const parts: Uint8Array[] = [];
  for (const [index, size] of sizes.entries()) {
    const body = new Uint8Array(size).fill(index);
    assert.ok(writer.add({ topic: 'a', body, options: { retain: false } }, index + 1));
    if (index % 100 === 0) parts.push(...writer.take());
  }
  parts.push(...writer.take());
  const packets = read(parts, 5);
  assert.deepEqual(
    packets.map(({ messageId, payload }) => [messageId, payload.byteLength]),
    sizes.map((size, index) => [index + 1, size]),
  );
  assert.ok(packets.every(({ payload }, index) => payload.every((byte) => byte === index % 256)));
  assert.ok(parts.length < 30);
});

test('a text that is too long for the protocol is not written', () => {
  const writer = new PublishWriter(5);
  const long = 'x'.repeat(65_536);
  const body = new Uint8Array(1);
  const properties = { userProperties: { long } };
  assert.equal(writer.add({ topic: long, body, options: { retain: false } }, 1), false);
  assert.equal(writer.add({ topic: 'a', body, options: { retain: false, properties } }, 1), false);
  assert.deepEqual(writer.take(), []);
});
