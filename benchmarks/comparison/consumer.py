"""The plain design that many start with: a consumer that takes one message, calls the engine, stores the result.

`python -m benchmarks.comparison.consumer ENGINE FOLDER SERVERS IMAGE...`: prefetch 1, one call at a time, an
acknowledgement after the result is in S3. No entities, no checkpoints, no ledger: it does less than the night.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pika

from .engines import load
from .run import write_lines
from .servers import Servers


def consume(engine: str, servers: Servers, paths: list[Path]) -> list[list[str]]:
    """Publish a message per page, consume all, and return the lines read on each page."""
    import boto3

    bucket, read = servers.bucket(), load(engine)
    s3 = boto3.session.Session().client("s3")
    connection = pika.BlockingConnection(pika.URLParameters(f"amqp://127.0.0.1:{servers.broker_port}/"))
    channel = connection.channel()
    queue = channel.queue_declare(f"inference-{bucket}", durable=True).method.queue
    for path in paths:
        body = json.dumps({"task_id": path.stem, "image": str(path)})
        channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=2))
    found: dict[str, list[str]] = {}

    def on_message(channel: Any, method: Any, _: Any, body: bytes) -> None:
        message = json.loads(body)
        (lines,) = read([Path(message["image"])])
        found[message["task_id"]] = lines
        record = json.dumps({**message, "lines": lines}, ensure_ascii=False).encode()
        s3.put_object(Bucket=bucket, Key=f"results/{message['task_id']}.json", Body=record)
        channel.basic_ack(method.delivery_tag)
        if len(found) == len(paths):
            channel.stop_consuming()

    channel.basic_qos(prefetch_count=1)
    channel.basic_consume(queue, on_message)
    channel.start_consuming()
    channel.queue_delete(queue)
    connection.close()
    return [found[path.stem] for path in paths]


def main() -> None:
    """Consume a message for each image of the arguments."""
    engine, folder, servers, *images = sys.argv[1:]
    paths = [Path(image) for image in images]
    write_lines(Path(folder), paths, consume(engine, Servers.load(Path(servers)), paths))


if __name__ == "__main__":
    main()
