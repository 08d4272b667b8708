"""Records out of the messages of Sightline's sinks: every format, batches, base64 and CloudEvents."""

import base64
import json
from dataclasses import dataclass
from typing import Any, Mapping

from google.protobuf.json_format import ParseDict
from google.protobuf.message import DecodeError
from sightline.v1 import frame_pb2


@dataclass(frozen=True)
class Record:
    # frame: a Frame; image: an Image; event and deepstream: what JSON holds.
    kind: str
    # The same whenever the record is delivered again: remember it to remove duplicates.
    record_id: str
    stream_id: str
    value: Any


def read_attributes(raw: Mapping[str, Any]) -> dict[str, str]:
    """Headers or attributes by plain names, CloudEvents attributes by `ce` and their names."""
    found = {}
    for name, value in raw.items():
        if isinstance(value, Mapping):  # SQS
            value = value.get("StringValue", "")
        if isinstance(value, bytes):  # Kafka
            value = value.decode()
        plain = name.lower().removeprefix("sightline-").replace("-", "").replace("_", "")
        found[plain.replace("cloudevents:", "ce")] = str(value)
    return found


def decode(body: bytes | str, attributes: Mapping[str, Any] | None = None) -> list[Record]:
    """The records of a message, as the client of its transport gives body and attributes."""
    about = read_attributes(attributes or {})
    data = body.encode() if isinstance(body, str) else bytes(body)
    if about.get("encoding") == "base64":
        data = base64.b64decode(data)
    if data[:1] in (b"{", b"["):
        return _from_json(json.loads(data), about)
    return _from_bytes(data, about)


def _from_json(value: Any, about: Mapping[str, str]) -> list[Record]:
    if isinstance(value, list):
        alone = {name: text for name, text in about.items() if name != "recordid"}
        return [record for item in value for record in _from_json(item, alone)]
    if "specversion" in value:  # CloudEvents, structured
        inner = {"recordid": value["id"], "streamid": value.get("subject", "")}
        inner["contenttype"] = value.get("datacontenttype", "")
        inner["kind"] = value["type"].split(".")[1].removesuffix("s")
        if "data_base64" in value:
            return _from_bytes(base64.b64decode(value["data_base64"]), inner)
        return _from_json(value["data"], inner)
    if "@timestamp" in value:  # DeepStream
        own_id = f'{value["sensorId"]}/{value["id"]}/{value["@timestamp"]}'
        stream_id = about.get("streamid", value["sensorId"])
        return [Record("deepstream", about.get("recordid", own_id), stream_id, value)]
    if isinstance(value.get("type"), str):  # A frame has no type.
        own_id = value.get("recordId", f'event/{value.get("id")}')
        stream_id = about.get("streamid", value.get("streamId", ""))
        return [Record("event", about.get("recordid", own_id), stream_id, value)]
    return [_frame(ParseDict(value, frame_pb2.Frame(), ignore_unknown_fields=True))]


def _from_bytes(data: bytes, about: Mapping[str, str]) -> list[Record]:
    content_type = about.get("contenttype", "")
    if "v1.Image" in content_type or about.get("kind") == "image":
        image = frame_pb2.Image.FromString(data)
        return [Record("image", image.record_id, image.stream_id, image)]
    if "v1.FrameBatch" in content_type:
        return [_frame(frame) for frame in frame_pb2.FrameBatch.FromString(data).frames]
    try:
        frame = frame_pb2.Frame.FromString(data)
        if frame.record_id:
            return [_frame(frame)]
    except DecodeError:
        pass
    return [_frame(frame) for frame in frame_pb2.FrameBatch.FromString(data).frames]


def _frame(frame: frame_pb2.Frame) -> Record:
    return Record("frame", frame.record_id, frame.stream_id, frame)


def show(record: Record) -> None:
    """One line for a record."""
    value = record.value
    if record.kind == "frame":
        labels = [item.type for item in value.objects]
        text = f"{len(labels)} objects {' '.join(labels)}"
    elif record.kind == "image":
        text = f"{value.ref} {len(value.data)} bytes"
    elif record.kind == "event":
        text = value["type"]
    else:
        text = f'{len(value["objects"])} objects'
    print(record.kind, record.record_id, text, flush=True)
