"""Works through the queue of the SQS sink, claim checks included: python read_sqs.py QUEUE_URL [how many]

Credentials and region come from the usual places; AWS_ENDPOINT_URL points at another server.
"""

import hashlib
import json
import sys
import threading

import boto3
from sightline_records import Record, decode, read_attributes, show

CLAIM_TYPE = "application/vnd.sightline.claim-check+json"
VISIBILITY_S = 30

queue_url = sys.argv[1]
left = float(sys.argv[2]) if len(sys.argv) > 2 else float("inf")
sqs = boto3.client("sqs")
s3 = boto3.client("s3")
seen: set[str] = set()


def read(message: dict) -> list[Record]:
    attributes = message.get("MessageAttributes", {})
    if read_attributes(attributes).get("contenttype") != CLAIM_TYPE:
        return decode(message["Body"], attributes)
    claim = json.loads(message["Body"])
    where = {"Bucket": claim["bucket"], "Key": claim["key"]}
    if "versionId" in claim:
        where["VersionId"] = claim["versionId"]
    if "offset" in claim:  # One of several records in this object.
        where["Range"] = f"bytes={claim['offset']}-{claim['offset'] + claim['size'] - 1}"
    body = s3.get_object(**where)["Body"].read()
    if len(body) != claim["size"] or hashlib.sha256(body).hexdigest() != claim["sha256"]:
        raise ValueError(f"s3://{claim['bucket']}/{claim['key']} is not what was put there")
    return decode(body, {**attributes, "encoding": "", "contentType": claim["contentType"]})


def hold(message: dict, done: threading.Event) -> None:
    """Keeps the message hidden from other consumers while it is worked on."""
    while not done.wait(VISIBILITY_S / 3):
        sqs.change_message_visibility(
            QueueUrl=queue_url,
            ReceiptHandle=message["ReceiptHandle"],
            VisibilityTimeout=VISIBILITY_S,
        )


def work(message: dict) -> None:
    done = threading.Event()
    threading.Thread(target=hold, args=(message, done), daemon=True).start()
    try:
        for record in read(message):
            if record.record_id not in seen:
                show(record)
                seen.add(record.record_id)
    finally:
        done.set()
    # Only now: whoever ends before gets it again.
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


while len(seen) < left:
    answer = sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=20,
        VisibilityTimeout=VISIBILITY_S,
        MessageAttributeNames=["All"],
    )
    for received in answer.get("Messages", []):
        try:
            work(received)
        except Exception as error:  # It comes again, and goes to the dead letters in the end.
            print(f"{received['MessageId']}: {error}", file=sys.stderr)
