"""What the kernel does while a cell runs: completion and the stop button; and the conformance suite."""

import re
import subprocess
import sys
import time

LOOP = 'println!("on"); loop { stop_if_asked(); }'
# Billions of pairs, which no statistics can answer.
QUERY = """println!("on");
sql("select sum(a.net_mass_kg * b.net_mass_kg) as s from fact_item a join fact_item b on a.office_id = b.office_id")?"""
TRAINING = """println!("on");
let x: Vec<f64> = (0..50_000).map(|i| f64::from(i % 1009)).collect();
let y: Vec<f64> = x.iter().map(|x| f64::from(*x > 500.0)).collect();
LightGbm::params().trees(100_000).fit(&FeatureMatrix::new(vec!["x".into()], vec![x], vec![false])?, &y)?.trees()"""


def begin(client, code):
    """Sends a cell and waits until it prints; the id of its request."""
    sent = client.execute(code)
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") == sent and message["msg_type"] == "stream":
            return sent


def reply_to(client, sent):
    while True:
        message = client.get_shell_msg(timeout=120)
        if message["parent_header"].get("msg_id") == sent:
            return message["content"]


def interrupt(client):
    client.control_channel.send(client.session.msg("interrupt_request", {}))


def stop_seconds(client, code):
    """From the press of the stop button to the reply of the cell, whose notebook keeps its variables."""
    sent = begin(client, code)
    begun = time.monotonic()
    interrupt(client)
    ended = reply_to(client, sent)
    seconds = time.monotonic() - begun
    if ended.get("ename") != "Interrupted":
        raise RuntimeError(f"expected the cell to be interrupted, found {ended}")
    kept = reply_to(client, client.execute("kept + 1"))
    if kept["status"] != "ok":
        raise RuntimeError(f"the variables are gone: {kept}")
    return seconds


def worst_stop(client, n):
    """The slowest of `n` stops of each kind."""
    reply_to(client, client.execute("let kept = 5;"))
    return max(stop_seconds(client, code) for code in [LOOP, QUERY, TRAINING] for _ in range(n))


def completion_seconds(client, n):
    """Seconds of `n` completions behind a dot, each of an expression of its own, while another cell runs."""
    reply_to(client, client.execute('let shown = df!("a" => [1, 2])?;'))
    sent = begin(client, LOOP)
    seconds = []
    for i in range(n + 1):
        code = f"shown.head(Some({i})).lazy().fil"
        begun = time.monotonic()
        matches = reply_to(client, client.complete(code))["matches"]
        seconds.append(time.monotonic() - begun)
        if "filter" not in matches:
            raise RuntimeError(f"expected `filter` among the completions of {code}, found {matches}")
    interrupt(client)
    reply_to(client, sent)
    return seconds[1:]


def conformance(root):
    """Tests of jupyter_kernel_test that pass, and all that there are."""
    command = [sys.executable, "-m", "pytest", "-q", "kernel/tests/test_conformance.py"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    counts = dict((word, int(number)) for number, word in re.findall(r"(\d+) (passed|failed|skipped)", done.stdout))
    return counts.get("passed", 0), sum(counts.values())
