"""Runs seeds, and says what did not hold: `make simulate SEEDS=5000 FROM=1`; or shows one: `make simulate SEED=7`."""

import argparse
import gc
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import timedelta
from os import cpu_count
from time import perf_counter, process_time

from tests.simulation.enumeration import STORIES, firsts, pairs
from tests.simulation.run import Case, Outcome, play
from tests.simulation.shrink import shrink

BATCH = 50  # seeds; a second or less


def main() -> int:
    """Gives the exit status: 1 if anything did not hold."""
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5000, help="how many")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first of them")
    parser.add_argument("--seed", type=int, help="this one alone, step by step")
    parser.add_argument("--pairs", action="store_true", help="no seeds, but every two faults in every story")
    arguments = parser.parse_args()
    if arguments.pairs:
        return enumerate_pairs()
    if arguments.seed is not None:
        return replay(arguments.seed)
    return simulate(range(arguments.first, arguments.first + arguments.seeds))


def replay(seed: int) -> int:
    """Shows one run, step by step."""
    case = Case.of(seed)
    outcome = play(case)
    print(f"seed {seed}: WhiteBIT's revision {case.revision.value}")
    for person in case.people:
        print(f"  {person}")
    _show(outcome)
    return 1 if outcome.violations else 0


def simulate(seeds: range) -> int:
    """Runs the seeds on all processors, with a line for each that ended badly, and the rate."""
    began, done, connections, spent, bad = perf_counter(), 0, 0, 0.0, 0
    with ProcessPoolExecutor(cpu_count(), initializer=_collect_rarely) as pool:
        for number, took, lines in pool.map(_run, [seeds[i : i + BATCH] for i in range(0, len(seeds), BATCH)]):
            done, connections, spent, bad = done + BATCH, connections + number, spent + took, bad + len(lines)
            for line in lines:
                print(line, flush=True)
            if sys.stderr.isatty():
                print(f"\r{min(done, len(seeds))} of {len(seeds)}", end="", file=sys.stderr)
    print(
        f"{len(seeds)} seeds, {connections} connections, {bad} seeds with a violation; "
        f"{perf_counter() - began:.0f} s, {connections / spent:.0f} connections a second and core"
    )
    return 1 if bad else 0


def enumerate_pairs() -> int:
    """Plays every pair of every story on all processors, with a line for each that ended badly, and the rate."""
    began, runs, bad = perf_counter(), 0, 0
    for story in STORIES:
        with ProcessPoolExecutor(cpu_count(), initializer=_collect_rarely) as pool:
            tasks = [pool.submit(pairs, story, *first) for first in firsts(story)]
            for done, task in enumerate(as_completed(tasks), 1):
                tally = task.result()
                runs, bad = runs + tally.runs, bad + len(tally.failures)
                for line in tally.failures:
                    print(line, flush=True)
                if sys.stderr.isatty():
                    print(f"\r{story}: {done} of {len(tasks)} first faults", end="", file=sys.stderr)
        seconds = perf_counter() - began
        print(
            f"{story}: {runs} runs so far, {bad} with a violation; {seconds:.0f} s, {runs / seconds:.0f} runs a second"
        )
    return 1 if bad else 0


def _collect_rarely() -> None:
    """A run becomes garbage as a whole: to look for it in the middle of one takes a tenth of its time, for nothing."""
    gc.freeze()
    gc.set_threshold(100_000)


def _run(seeds: Iterable[int]) -> tuple[int, float, list[str]]:
    """How many connections there were, the seconds of processor that they took, and what did not hold."""
    began, number, lines = process_time(), 0, []
    for seed in seeds:
        outcome = play(Case.of(seed))
        number += len(outcome.ends)
        lines += list(_line(seed, outcome))
    return number, process_time() - began, lines


def _line(seed: int, outcome: Outcome) -> Iterator[str]:
    if outcome.violations:
        first = outcome.violations[0]
        case = shrink(Case.of(seed), first.invariant)
        faults = ", ".join(f"{point} {fate}" for point, fate in play(case).fates.items()) or "no fault"
        yield f"seed {seed}: {first.invariant}: {first.what}; {len(case.people)} people; {faults}"


def _show(outcome: Outcome) -> None:
    for at, who, what in outcome.trace:
        print(f"{timedelta(seconds=round(at, 3))!s:>16}  {who:<44} {what}")
    for status, reason in outcome.ends:
        print(f"ends {status} ({reason})")
    for violation in outcome.violations:
        print(f"VIOLATION of {violation.invariant} at {timedelta(seconds=round(violation.at, 3))}: {violation.what}")


if __name__ == "__main__":
    sys.exit(main())
