"""Steps on stdin as JSON, to what became of each on stdout, a line a step. The kernel is the installed one."""

import json
import queue
import sys
import time

from jupyter_client.manager import start_new_kernel

# Seconds that a kernel has to start, and a cell to end after it was asked to.
START, GRACE = 120, 10


def hear(client, sent, seconds, most):
    """Hears a cell to its end; status, text, characters of output. `None` where it does not end in time."""
    until, size = time.monotonic() + seconds, 0
    failure, printed = None, []
    while True:
        try:
            message = client.get_iopub_msg(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return None, size
        if message["parent_header"].get("msg_id") != sent:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] == "idle":
            return {"status": "error" if failure else "ok", "text": failure or "".join(printed)}, size
        if kind == "error":
            failure = f"{content['evalue']}"[:most]
        elif kind == "stream":
            size += len(content["text"])
            if content["name"] == "stdout" and size <= most:
                printed.append(content["text"])
        elif kind in ("execute_result", "display_data", "update_display_data"):
            size += len(json.dumps(content["data"]))


def main():
    order = json.load(sys.stdin)
    manager, client = start_new_kernel(startup_timeout=START, kernel_name=order["kernel"])
    try:
        for step in order["steps"]:
            sent = client.execute(step["code"], stop_on_error=False)
            outcome, size = hear(client, sent, order["cell_seconds"], order["output"])
            gone = False
            if outcome is None:
                manager.interrupt_kernel()
                stopped, _ = hear(client, sent, GRACE, order["output"])
                gone = stopped is None
                outcome = {"status": "time", "text": ""}
            outcome |= {"name": step["name"], "size": size, "gone": gone}
            print(json.dumps(outcome), flush=True)
            if gone:
                return
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


main()
