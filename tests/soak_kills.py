"""Kill `append` at random points, again and again, and check that nothing is lost, doubled or renumbered.

    python tests/soak_kills.py --kills 500

Each round queues a few records, starts an appender in a process of its own and kills it after a random time with
SIGKILL; the next round's appender recovers. After each tenth round, and at the end, the whole log is verified from the
leaves up and every record that was ever queued must stand in it once, in order.
"""

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import facts

from generator.log.archive import current


def check(output: Path, count: int) -> None:
    assert facts.audit(output)
    salts = [logged.record.salt for logged in facts.logged(output)]
    if salts != [f"{number:032x}" for number in range(count)]:
        sys.exit(f"{len(salts)} records in the log, {count} were queued, or another order")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=500)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    dice = random.Random(chosen.seed)
    kills = written = ended = rounds = 0
    usual = 0.0  # seconds of an undisturbed run: kills are spread evenly over it
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder)
        while kills < chosen.kills:
            count = dice.randrange(0, 9)
            facts.queue(output, range(written, written + count))
            written += count
            started = time.monotonic()
            child = multiprocessing.get_context("fork").Process(target=facts.append, args=(output,))
            child.start()
            child.join(dice.uniform(0, 1.1 * usual) if ended >= 3 else None)
            if child.is_alive():
                os.kill(child.pid or 0, signal.SIGKILL)
                kills += 1
            else:
                ended += 1
                usual = max(usual, time.monotonic() - started) if ended <= 3 else usual
            child.join()
            rounds += 1
            if rounds % 10 == 0:
                facts.append(output)
                if current(output):
                    check(output, written)
                print(f"\r{kills} kills, {ended} undisturbed, {written} records", end="", flush=True)
        facts.append(output)
        check(output, written)
    print(f"\n{kills} kills, {ended} undisturbed ends, {written} records: all in the log, once, in order")


if __name__ == "__main__":
    main()
