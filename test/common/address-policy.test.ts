import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressPolicy } from '../../src/common/address-policy.ts';

const PRIVATE = [
  ...['127.0.0.1', '127.255.1.2', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255'],
  ...['192.168.0.1', '169.254.169.254', '100.64.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255'],
  ...['::', '::1', 'fe80::1', 'fe80::1%lo', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '2001:db8::1'],
  ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1', '::ffff:0:10.0.0.1', '64:ff9b::7f00:1'],
  ...['64:ff9b::169.254.169.254', '64:ff9b:1::10.0.0.1', '2002:7f00:1::', '2002:a9fe:a9fe::1'],
  ...[
    '0:0:0:0:0:ffff:c0a8:1',
    '2001::1',
    '4000::1',
    '168.63.129.16',
    '64:ff9b:1:7f00:0:100:808:808',
  ],
];
const PUBLIC = [
  ...['1.1.1.1', '8.8.8.8', '172.15.0.1', '172.32.0.1', '192.167.1.1', '100.63.0.1', '223.255.0.1'],
  ...['2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808', '2002:808:808::1'],
];

test('addresses that are not of the public internet are refused in every form', () => {
  const policy = new AddressPolicy();
  for (const address of PRIVATE) assert.equal(policy.allows(address), false, address);
  for (const address of PUBLIC) assert.equal(policy.allows(address), true, address);
  for (const text of ['', 'localhost', '2130706433', '0x7f.1', '127.1']) {
    assert.equal(policy.allows(text), false, text);
  }
});

test('listed networks and allowPrivate open what they name', () => {
  const listed = new AddressPolicy({ allow: ['10.1.0.0/16', 'fd00:1::/32', '127.0.0.1'] });
  for (const address of ['10.1.2.3', 'fd00:1::7', '127.0.0.1', '::ffff:10.1.2.3', '8.8.8.8']) {
    assert.equal(listed.allows(address), true, address);
  }
  for (const address of ['10.2.0.1', 'fd00:2::7', '127.0.0.2', '169.254.169.254']) {
    assert.equal(listed.allows(address), false, address);
  }
  const open = new AddressPolicy({ allowPrivate: true });
  for (const address of PRIVATE) assert.equal(open.allows(address), true, address);
});

test('a network that is none is refused', () => {
  for (const network of ['10.0.0.0/33', 'somewhere', '10.0.0.0/', '::/129', '10.0.0.0/-1']) {
    assert.throws(() => new AddressPolicy({ allow: [network] }), { code: 'SL_CONFIG_INVALID' });
  }
});
