import { Type } from 'typebox';
import { AnyObject, listOf, named, ReasonSchema, ref, Word } from './shared.ts';

const Node = Type.Object(
  {
    id: Type.String(),
    state: Word(['held', 'released'], 'released: nobody holds its lease: it left or was lost'),
    token: Type.Number({ description: 'How often its lease was acquired' }),
    capacity: Type.Number({ description: 'Cores for streams' }),
    used: Type.Number({ description: 'Of them in use, as it said last' }),
    detector: Type.Boolean({ description: 'Detectors run there: false for a receiver' }),
    streams: Type.Number(),
  },
  { additionalProperties: false },
);

const Assignment = Type.Object(
  {
    streamId: Type.String(),
    node: Type.Optional(Type.String({ description: 'Absent: nobody runs it now' })),
    epoch: Type.Number({ description: 'Fencing token: one more with every owner' }),
    state: Word(['assigned', 'draining', 'unassigned'], 'draining: it ends there, to go elsewhere'),
  },
  { additionalProperties: false },
);

export const FleetSchema = named('Fleet', {
  node: Type.String({ description: 'This server' }),
  store: Type.String(),
  held: Type.Boolean({ description: 'This server can prove now that its lease is its own' }),
  leads: Type.Boolean({ description: 'This server assigns the streams' }),
  leasesLost: Type.Number({ description: 'Times this server lost its lease' }),
  recordsRefused: Type.Number({
    description: 'Records of fleet streams refused because the lease could not be proved',
  }),
  trouble: Type.Optional(ref(ReasonSchema)),
  leader: Type.Optional(Type.String({ description: 'Node that assigns the streams' })),
  nodes: listOf(Node, 'By id'),
  assignments: listOf(Assignment, 'By stream'),
});

export const FleetStreamSchema = named('FleetStream', {
  id: Type.String(),
  generation: Type.Number({ description: 'One more with every change' }),
  spec: AnyObject('A StreamSpec; secrets are ***'),
});
