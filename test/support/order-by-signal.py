"""Orders a breaker by a signal, which has no answer: order-by-signal.py <scope> <order as JSON>"""
import asyncio, json, os, sys
from temporalio.client import Client


async def main(scope: str, order: str) -> None:
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    await client.start_workflow("breakerControl", id=f"breaker:{scope}", task_queue="fillsafe",
                                start_signal="override", start_signal_args=[json.loads(order)])


asyncio.run(main(*sys.argv[1:]))
