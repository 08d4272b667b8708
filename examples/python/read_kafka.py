"""Follows the Kafka sink: python read_kafka.py localhost:9092 sightline.frames [how many]"""

import sys

from confluent_kafka import Consumer
from sightline_records import decode, show

brokers, topic = sys.argv[1:3]
left = float(sys.argv[3]) if len(sys.argv) > 3 else float("inf")
seen: set[str] = set()

consumer = Consumer(
    {
        "bootstrap.servers": brokers,
        "group.id": "sightline-example",
        "auto.offset.reset": "earliest",
        # Only what was worked on is committed.
        "enable.auto.offset.store": False,
    }
)
consumer.subscribe([topic])
try:
    while len(seen) < left:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            print(message.error(), file=sys.stderr)
            continue
        for record in decode(message.value(), dict(message.headers() or [])):
            if record.record_id not in seen:
                show(record)
                seen.add(record.record_id)
        consumer.store_offsets(message)
finally:
    consumer.close()
