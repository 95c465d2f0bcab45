import threading
import time

import pytest

from geo.parallel import Steps, available_threads, limit_threads, run_chunks


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(("n", "chunk"), [(0, 3), (1, 3), (9, 3), (10, 3), (2, 100)])
def test_results_cover_the_range_in_order(n, chunk, threads):
    told = []
    got = run_chunks(
        lambda start, stop: list(range(start, stop)),
        n,
        chunk=chunk,
        threads=threads,
        progress=lambda done, total: told.append((done, total)),
    )
    assert [x for part in got for x in part] == list(range(n))
    assert all(len(part) <= chunk for part in got)
    assert [done for done, _ in told] == sorted(
        {min(s + chunk, n) for s in range(0, n, chunk)}
    )
    assert {total for _, total in told} <= {n}


def test_calls_run_side_by_side():
    both = threading.Barrier(2, timeout=10)
    run_chunks(lambda *_: both.wait(), 2, chunk=1, threads=2)


def test_an_error_begins_no_other_range_and_is_raised():
    begun = []

    def work(start, _):
        begun.append(start)
        time.sleep(0.01)
        raise ArithmeticError(start)

    with pytest.raises(ArithmeticError, match="0"):
        run_chunks(work, 1000, chunk=1, threads=2)
    assert len(begun) < 10


def test_an_error_of_the_progress_call_cancels():
    begun = []

    def stop_at_three(done, _):
        if done >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_chunks(
            lambda start, _: begun.append(start),
            1000,
            chunk=1,
            threads=2,
            progress=stop_at_three,
        )
    assert len(begun) < 20


def test_threads_can_be_limited_for_a_block():
    before = available_threads()
    with limit_threads(1):
        assert available_threads() == 1
        seen = set()
        run_chunks(lambda *_: seen.add(threading.get_ident()), 5, chunk=1)
        assert seen == {threading.get_ident()}
    assert available_threads() == before >= 1
    with pytest.raises(ValueError, match="threads is 0"), limit_threads(0):
        pass


def test_steps_tell_several_works_as_one_that_rises_to_the_end():
    told = []
    steps = Steps(lambda *done: told.append(done), 10, [6, 0, 2])
    for work in (((3, 6), (6, 6)), (), ((1, 4), (4, 4))):
        tell = steps.next()
        for done in work:
            tell(*done)
    steps.end()
    assert told == [(3, 10), (7, 10), (7, 10), (10, 10)]
    told.clear()
    steps = Steps(lambda *done: told.append(done), 10, [1, 1])
    steps.next()(5, 5)
    steps.next()
    steps.end()
    assert told == [(5, 10), (10, 10)]
    silent = Steps(None, 10, [1])
    assert silent.next() is None
    silent.end()
