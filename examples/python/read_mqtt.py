"""Follows the MQTT sink: python read_mqtt.py localhost 1883 'sightline/+/frames' [how many]"""

import sys

import paho.mqtt.client as mqtt
from paho.mqtt.subscribeoptions import SubscribeOptions
from sightline_records import decode, show

host, port, topic = sys.argv[1], int(sys.argv[2]), sys.argv[3]
left = float(sys.argv[4]) if len(sys.argv) > 4 else float("inf")
seen: set[str] = set()


def on_connect(client, _userdata, _flags, _reason, _properties):
    client.subscribe(topic, options=SubscribeOptions(qos=1))


def on_subscribe(_client, _userdata, _mid, _reasons, _properties):
    print(f"subscribed to {topic}", file=sys.stderr, flush=True)


def on_message(client, _userdata, message):
    properties = message.properties
    attributes = dict(getattr(properties, "UserProperty", []))
    attributes["contentType"] = getattr(properties, "ContentType", "")
    for record in decode(message.payload, attributes):
        if record.record_id in seen:
            continue
        show(record)
        seen.add(record.record_id)
    if len(seen) >= left:
        client.disconnect()


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.connect(host, port)
client.loop_forever()
