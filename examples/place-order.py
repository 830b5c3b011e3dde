"""Places one order by plain JSON: no fillsafe library is needed. `pip install temporalio`, then
TEMPORAL_ADDRESS=127.0.0.1:7233 python place-order.py [intent-id]"""
import asyncio, os, sys
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError


async def main() -> None:
    client = await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "127.0.0.1:7233"))
    order = {"intentId": sys.argv[1] if len(sys.argv) > 1 else "example-py-1", "venue": "paper", "symbol": "XRPETH",
             "side": "BUY", "type": "LIMIT", "quantity": "23", "price": "0.00141"}  # amounts are strings, never numbers
    workflow_id = f"order:{order['intentId']}"
    try:
        job = await client.start_workflow("placeOrder", order, id=workflow_id, task_queue="fillsafe",
                                          id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                                          id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING)
    except WorkflowAlreadyStartedError:  # it has ended before: its result is the answer
        job = client.get_workflow_handle(workflow_id)
    print(await job.result())


asyncio.run(main())
