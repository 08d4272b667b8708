import type { MqttSinkSpec } from './spec.ts';

/** A discovery message: `<prefix>/<component>/<object id>/config` and its JSON. */
export interface Entity {
  readonly topic: string;
  readonly config: string;
}

export interface EntitySource {
  /** Topic of the stream's state. */
  readonly topic: string;
  /** Label by its name in topics and templates. */
  readonly classes: ReadonlyMap<string, string>;
}

interface EntityFacts {
  readonly component: 'sensor' | 'binary_sensor';
  readonly key: string;
  readonly name: string;
  readonly template: string;
  readonly extras: Readonly<Record<string, unknown>>;
}

/**
 * The entities of a stream, one device of Home Assistant: whether somebody is there, how many objects of each class, and
 * whether the camera has a problem. (https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery)
 */
export function entitiesOf(
  streamId: string,
  { topic, classes }: EntitySource,
  { homeAssistant, status, kinds }: MqttSinkSpec,
): Entity[] {
  const device = {
    identifiers: [`sightline_${streamId}`],
    name: streamId,
    manufacturer: 'Sightline',
    model: 'Camera stream',
  };
  const server = { topic: status?.topic, value_template: '{{ value_json.status }}' };
  const camera = { topic, value_template: '{{ value_json.camera }}' };
  return factsOf(classes, kinds).map(({ component, key, name, template, extras }) => {
    const id = `sightline_${streamId}_${key}`;
    const config = {
      name,
      unique_id: id,
      object_id: id,
      state_topic: topic,
      value_template: template,
      // A camera that is away has a problem, and nobody in front of it.
      availability: key === 'problem' ? [server] : [server, camera],
      availability_mode: 'all',
      device,
      origin: { name: 'Sightline' },
      ...extras,
    };
    return {
      topic: `${homeAssistant?.discoveryPrefix}/${component}/${id}/config`,
      config: JSON.stringify(config),
    };
  });
}

function factsOf(
  classes: ReadonlyMap<string, string>,
  kinds: MqttSinkSpec['kinds'],
): EntityFacts[] {
  const facts: EntityFacts[] = [];
  if (kinds.includes('frame')) {
    facts.push(
      {
        ...{ component: 'binary_sensor', key: 'occupancy', name: 'Occupancy' },
        template: '{{ value_json.occupancy }}',
        extras: { device_class: 'occupancy' },
      },
      {
        ...{ component: 'sensor', key: 'objects', name: 'Objects' },
        template: '{{ value_json.objects }}',
        extras: { state_class: 'measurement' },
      },
    );
    for (const [name, label] of classes) {
      facts.push({
        ...{ component: 'sensor', key: `class_${name}`, name: `Objects: ${label}` },
        template: `{{ value_json.classes['${name}'] | default(0) }}`,
        extras: { state_class: 'measurement' },
      });
    }
  }
  if (kinds.includes('event')) {
    facts.push({
      ...{ component: 'binary_sensor', key: 'problem', name: 'Problem' },
      template: '{{ value_json.problem }}',
      extras: { device_class: 'problem', entity_category: 'diagnostic' },
    });
  }
  return facts;
}
