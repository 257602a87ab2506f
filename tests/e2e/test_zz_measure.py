import os
import signal
import statistics
import time

from tests.e2e.test_e2e_faults import (
    RAW,
    SLOT,
    Company,
    ask_until_answered,
    keyed,
    pid_of,
    question,
)

ERROR = b"event: error"


def test_measure(running, anthropic, bedrock):
    for load in (False, True):
        for victim, lane in (("main", RAW), ("providers", SLOT)):
            took = []
            tries = []
            for _ in range(3):
                running.word("restart")
                running.word("start", "--wait")
                time.sleep(0.5)
                anthropic.clear()
                bedrock.clear()
                comp = Company(running, anthropic, bedrock) if load else None
                port, headers = running.record()["port"], keyed(running)
                r = running.word("status", "--json")
                if "stacks" not in r.out:
                    print("STATUS", r, time.time(), (running.folder / "supervisor.log").read_text())
                    r = running.word("status", "--json")
                    print(r)
                os.kill(pid_of(running, victim), signal.SIGKILL)
                t = ask_until_answered(port, headers, question("hi", model=lane))
                took.append(round(t.took_s, 2))
                tries.append(t.tries)
                if comp:
                    waited, streams = comp.told()
                    print(
                        victim,
                        "waited tries",
                        [w.tries for w in waited],
                        "streams",
                        {
                            k: [
                                (s.tries, s.is_streamed, s.is_cut, ERROR in s.reply.body) for s in v
                            ]
                            for k, v in streams.items()
                        },
                    )
            print(victim, "loaded" if load else "quiet", took, tries, statistics.median(took))
