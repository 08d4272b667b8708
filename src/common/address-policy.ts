import { BlockList, isIP, isIPv6 } from 'node:net';
import { SightlineError } from './errors.ts';

/** Which addresses the server may call when somebody else names them: against requests forged by way of a sink's URL. */
export interface EgressRules {
  /** Loopback, private, link-local and other addresses that are not of the public internet. Default false. */
  readonly allowPrivate?: boolean;
  /** Networks that may be called although they are private: `10.1.0.0/16`, `fd00:1::/32`, `192.168.1.7`. */
  readonly allow?: readonly string[];
}

/** IPv4 that is not of the public internet (IANA special-purpose registry, RFC 6890 and successors). */
const SPECIAL_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  // Azure's own, which answers machines of Azure alone.
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/** The whole public IPv6 internet is in 2000::/3 (RFC 4291); of it, these are not for hosts of others. */
const PUBLIC_V6 = '2000::/3';
const SPECIAL_V6 = ['2001::/23', '2001:db8::/32', '3fff::/20', '2620:4f:8000::/48'];

/** Forms of IPv6 that carry an IPv4 address, and at which of the eight groups it begins. */
const CARRIERS: readonly (readonly [network: string, group: number])[] = [
  // Mapped, compatible and translated (RFC 4291 2.5.5, RFC 2765).
  ['::ffff:0:0/96', 6],
  ['::/96', 6],
  ['::ffff:0:0:0/96', 6],
  // NAT64 (RFC 6052). Its prefix for local use (RFC 8215) carries addresses anywhere, and is of no public internet.
  ['64:ff9b::/96', 6],
  // 6to4 (RFC 3056).
  ['2002::/16', 1],
];

/** Decides on addresses, never on names: a name may mean another address with every look-up. */
export class AddressPolicy {
  readonly #allowPrivate: boolean;
  readonly #allowed: BlockList;

  /** @throws SightlineError `SL_CONFIG_INVALID` for a network that is none */
  constructor({ allowPrivate = false, allow = [] }: EgressRules = {}) {
    this.#allowPrivate = allowPrivate;
    this.#allowed = blockList(allow);
  }

  /** Whether a numeric address may be called; false for a text that is none. */
  allows(address: string): boolean {
    const family = isIP(address);
    if (family === 0) return false;
    if (this.#allowPrivate || isIn(this.#allowed, address)) return true;
    if (family === 4) return !isIn(specialV4, address);
    const carried = carriedV4(address);
    if (carried !== undefined) return this.allows(carried);
    return isIn(publicV6, address) && !isIn(specialV6, address);
  }
}

const specialV4 = blockList(SPECIAL_V4);
const publicV6 = blockList([PUBLIC_V6]);
const specialV6 = blockList(SPECIAL_V6);
const carriers = CARRIERS.map(([network, group]) => ({ list: blockList([network]), group }));

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function carriedV4(address: string): string | undefined {
  const carrier = carriers.find(({ list }) => isIn(list, address));
  if (carrier === undefined) return undefined;
  const groups = groupsOf(address);
  return [groups[carrier.group]!, groups[carrier.group + 1]!]
    .flatMap((group) => [group >>> 8, group & 0xff])
    .join('.');
}

/** The eight groups of an IPv6 address, as the URL parser writes them: compressed, in hexadecimal, without a zone. */
function groupsOf(address: string): number[] {
  const [plain = ''] = address.split('%');
  const text = new URL(`http://[${plain}]`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const parse = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  if (tail === undefined) return parse(head);
  const [front, back] = [parse(head), parse(tail)];
  return [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIP(address);
    const most = family === 6 ? 128 : 32;
    const bits = prefix === undefined ? most : Number(prefix);
    const isPrefix = prefix === undefined || /^\d{1,3}$/.test(prefix);
    if (family === 0 || !isPrefix || bits > most) {
      throw new SightlineError(
        'SL_CONFIG_INVALID',
        `Cannot use ${network} as a network: write 10.1.0.0/16 or fd00:1::/32`,
      );
    }
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
