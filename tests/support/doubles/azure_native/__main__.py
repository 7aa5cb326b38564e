"""Serves the double on a free port of the loopback interface and prints the port, as the engine expects."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from concurrent import futures
from pathlib import Path

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from support.doubles.azure_native.cloud import Cloud
from support.doubles.azure_native.provider import AzureDouble
from support.doubles.azure_native.sdk import Sdk

LARGEST_MESSAGE = 400 * 1024 * 1024
"""What Pulumi's own providers allow."""


def main() -> int:
    """Serve until the engine ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="What stands for Azure.")
    parser.add_argument("--declared", type=Path, required=True, help="Where declarations of the SDK are remembered.")
    given, _ = parser.parse_known_args()  # the engine adds its own address
    options = [("grpc.max_receive_message_length", LARGEST_MESSAGE), ("grpc.max_send_message_length", LARGEST_MESSAGE)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=options)
    double = AzureDouble(Cloud(given.folder), Sdk(given.declared))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(double, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    server.stop(grace=1).wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
