# The receiver that Sightline's decoupled system began from (github.com/psomers3/rotd), doing what it did with the libraries it used:
# PyAV decodes every frame, NumPy widens it to 64-bit integers, boto3's transfer manager uploads them, one message names
# the object, one frame after the other. Prints what that cost, as JSON.
#   python receive.py ENDPOINT RTSP_URL FRAMES
# What is measured begins when the first frame is there.
import io
import json
import resource
import sys
import time

import av
import boto3

endpoint, url = sys.argv[1:3]
limit = int(sys.argv[3])
aws = {
    "endpoint_url": endpoint,
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
s3 = boto3.client("s3", **aws)
sqs = boto3.client("sqs", **aws)
queue = sqs.get_queue_url(QueueName="prototype")["QueueUrl"]


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


frames = uploaded = message_bytes = 0
with av.open(url, options={"rtsp_transport": "tcp"}) as camera:
    for frame in camera.decode(video=0):
        if frames == 0:
            before, started = cpu_seconds(), time.monotonic()
        wide = frame.to_ndarray(format="bgr24").astype(int)
        height, width, _ = wide.shape
        at = time.time()
        key = f"{url}/{at}"
        data = wide.tobytes()
        s3.upload_fileobj(Fileobj=io.BytesIO(data), Bucket="prototype", Key=key)
        body = json.dumps(
            {
                "source": url,
                "timestamp": at,
                "s3_bucket": "prototype",
                "s3_key": key,
                "width": width,
                "height": height,
            }
        )
        sqs.send_message(QueueUrl=queue, MessageBody=body)
        frames += 1
        uploaded += len(data)
        message_bytes += len(body)
        if frames == limit:
            break
print(
    json.dumps(
        {
            "cpuSeconds": cpu_seconds() - before,
            "seconds": time.monotonic() - started,
            "frames": frames,
            "bytes": uploaded,
            "messageBytes": message_bytes,
        }
    )
)
