# The receiver that Sightline's decoupled system began from, as it worked: every frame is decoded, widened to 64-bit integers
# and uploaded on its own within the loop, then one message names it. Prints what that cost, as JSON.
#   python prototype.py ENDPOINT RTSP_URL WIDTH HEIGHT FRAMES
# Decoding is GStreamer's in a child process, and the widening a copy of bytes: both cost less than PyAV and NumPy do. What is measured
# begins with the first frame that is read.
import json
import resource
import subprocess
import sys
import time

import boto3

endpoint, url = sys.argv[1:3]
width, height, frames = map(int, sys.argv[3:6])
aws = {
    "endpoint_url": endpoint,
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
s3 = boto3.client("s3", **aws)
sqs = boto3.client("sqs", **aws)
queue = sqs.get_queue_url(QueueName="prototype")["QueueUrl"]

pipeline = (
    f"rtspsrc location={url} protocols=tcp ! rtph264depay ! h264parse ! avdec_h264 max-threads=1 "
    f"! queue max-size-buffers=4 max-size-bytes=0 ! videoconvert ! video/x-raw,format=RGB ! fdsink"
)
decoder = subprocess.Popen(["gst-launch-1.0", "-q", *pipeline.split()], stdout=subprocess.PIPE)
size = width * height * 3


def cpu_seconds():
    own = resource.getrusage(resource.RUSAGE_SELF)
    # A child that has not ended is in no rusage.
    with open(f"/proc/{decoder.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return own.ru_utime + own.ru_stime + (int(fields[11]) + int(fields[12])) / 100


decoder.stdout.read(size)
before, started = cpu_seconds(), time.monotonic()
uploaded = message_bytes = 0
for number in range(frames):
    rgb = decoder.stdout.read(size)
    wide = bytearray(8 * size)
    wide[0::8] = rgb
    key = f"{url}/{time.time()}"
    s3.put_object(Bucket="prototype", Key=key, Body=bytes(wide))
    body = json.dumps({"bucket": "prototype", "key": key, "shape": [height, width, 3]})
    sqs.send_message(QueueUrl=queue, MessageBody=body)
    uploaded += len(wide)
    message_bytes += len(body)
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
decoder.kill()
