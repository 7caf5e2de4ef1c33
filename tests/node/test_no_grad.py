"""no_grad and the other contexts are decorators too: of functions, methods, generators, coroutines; bare and called."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import copy_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalargrad
from scalargrad import Value, no_grad
from scalargrad.node.contexts import observed
from scalargrad.node.mode import PLAIN, mode


def records() -> bool:
    return bool((Value(1.0) * 2).parents)


@pytest.mark.parametrize("decorate", [no_grad, no_grad()], ids=["bare", "called"])
class TestEachKindOfFunction:
    def test_a_function(self, decorate):
        @decorate
        def f(x, *, k=2):
            """Doubles."""
            return x * k

        assert (f(Value(3.0), k=4).data, f(Value(3.0)).parents) == (12.0, ())
        assert (f.__name__, f.__doc__) == ("f", "Doubles.")
        assert records()

    def test_methods(self, decorate):
        class A:
            @decorate
            def plain(self):
                return records()

            @decorate
            @classmethod
            def of_class(cls):
                return cls.__name__, records()

            @staticmethod
            @decorate
            def of_nobody():
                return records()

            @decorate
            def each(self):
                yield records()

        assert (A().plain(), A.of_class(), A.of_nobody(), list(A().each())) == (False, ("A", False), False, [False])

    def test_a_generator_does_not_record_and_its_caller_does(self, decorate):
        @decorate
        def f():
            yield records()
            yield records()
            return records()

        it = f()
        assert inspect.isgeneratorfunction(f)
        assert [next(it), records(), next(it), records()] == [False, True, False, True]
        with pytest.raises(StopIteration) as end:
            next(it)
        assert end.value.value is False
        assert records()

    def test_send_throw_and_close(self, decorate):
        seen = []

        @decorate
        def f():
            got = None
            try:
                while True:
                    try:
                        got = yield got, records()
                    except KeyError:
                        seen.append(("thrown", records()))
            finally:
                seen.append(("closed", records()))

        it = f()
        assert next(it) == (None, False)
        assert it.send(5) == (5, False)
        assert it.throw(KeyError("x")) == (5, False)
        it.close()
        assert seen == [("thrown", False), ("closed", False)]
        other = f()
        next(other)
        with pytest.raises(ValueError, match="out"):
            other.throw(ValueError("out"))
        assert records()

    def test_a_coroutine(self, decorate):
        @decorate
        async def f():
            before = records()
            await asyncio.sleep(0)
            return before, records()

        async def watch():
            found = []
            for _ in range(4):
                found.append(records())
                await asyncio.sleep(0)
            return found

        async def both():
            return await asyncio.gather(f(), watch(), f())

        assert inspect.iscoroutinefunction(f)
        assert asyncio.run(both()) == [(False, False), [True] * 4, (False, False)]

    def test_a_coroutine_driven_by_hand_leaves_its_driver_alone(self, decorate):
        class Pause:
            def __await__(self):
                return (yield records())

        @decorate
        async def f():
            return await Pause(), records()

        coroutine = f()
        assert coroutine.send(None) is False
        assert records()
        with pytest.raises(StopIteration) as end:
            coroutine.send("answer")
        assert end.value.value == ("answer", False)

    def test_an_asynchronous_generator(self, decorate):
        seen = []

        @decorate
        async def f():
            got = None
            try:
                for _ in range(10):
                    await asyncio.sleep(0)
                    try:
                        got = yield got, records()
                    except KeyError:
                        seen.append(("thrown", records()))
            finally:
                await asyncio.sleep(0)
                seen.append(("closed", records()))

        async def drive():
            it = f()
            found = [await it.__anext__(), records(), await it.asend(7), records(), await it.athrow(KeyError("x"))]
            await it.aclose()
            return found, [x async for x in f()][-1], records()

        assert inspect.isasyncgenfunction(f)
        assert asyncio.run(drive()) == ([(None, False), True, (7, False), True, (7, False)], (None, False), True)
        assert seen == [("thrown", False), ("closed", False), ("closed", False)]

    def test_callable_objects_and_partials(self, decorate):
        class Each:
            def __call__(self, n):
                for _ in range(n):
                    yield records()

        def each(n):
            for _ in range(n):
                yield records()

        assert list(decorate(Each())(2)) == list(decorate(functools.partial(each, 2))()) == [False, False]

    @pytest.mark.parametrize(
        ("what", "message"), [(3, "decorates functions, not int"), (dict, "not classes as dict: decorate its methods")]
    )
    def test_what_is_no_function_is_refused(self, decorate, what, message):
        with pytest.raises(TypeError, match=message):
            decorate(what)


def test_with_needs_the_parentheses():
    with pytest.raises(TypeError, match=r"with no_grad\(\):"), no_grad:
        pass
    assert records()


def test_two_blocks_may_end_in_the_order_in_which_they_began():
    def resting():
        with no_grad():
            yield

    it = resting()
    next(it)
    with no_grad():
        assert list(it) == []
        assert not records()
    assert records()
    assert mode.get() is PLAIN


def watch_into(seen, name):
    def watch(turns, adjoints):
        seen.append(name)
        return turns

    return watch


@given(st.lists(st.tuples(st.sampled_from(["no_grad", "inspector", "watch", "both"]), st.integers(0, 5)), max_size=12))
def test_contexts_end_in_any_order_and_take_their_own_changes_along(actions):
    """Each action begins a context, or ends one of those that are open, whichever it is."""
    nodes, sweeps, started, x = [], [], [], Value(2.0)

    def begin(kind, name):
        inspector = (lambda node: nodes.append(name)) if kind in ("inspector", "both") else None
        watch = watch_into(sweeps, name) if kind in ("watch", "both") else None
        context = no_grad() if kind == "no_grad" else observed(inspector, watch)
        context.__enter__()
        started.append((kind, name, context))

    def look():
        nodes.clear()
        sweeps.clear()
        y = x * x
        assert bool(y.parents) == all(kind != "no_grad" for kind, *_ in started)
        assert nodes == [name for kind, name, _ in started if kind in ("inspector", "both")]
        root.backward()
        assert sweeps == [name for kind, name, _ in started if kind in ("watch", "both")]

    root = x * x
    for step, (kind, which) in enumerate(actions):
        if which < 3:
            begin(kind, step)
        elif started:
            started.pop(which % len(started))[2].__exit__(None, None, None)
        look()
    while started:
        started.pop(0)[2].__exit__(None, None, None)
        look()
    assert mode.get() is PLAIN


def test_a_block_that_ends_where_it_is_not_in_force_changes_nothing():
    def resting():
        with no_grad():
            yield

    it = resting()
    copy_context().run(next, it)
    assert records()
    with scalargrad.detect_anomaly():
        assert list(it) == []
        assert records()
        assert len(mode.get().watches) == 1
    assert mode.get() is PLAIN


@pytest.mark.parametrize("appended", [False, True])
def test_ctrl_c_while_a_block_begins_leaves_none_in_force(appended):
    class Interrupted(list):
        def append(self, entry):
            if appended:
                super().append(entry)
            raise KeyboardInterrupt

    context = no_grad()
    context._entered = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        context.__enter__()
    assert mode.get() is PLAIN
    assert context._entered == []


def test_threads_may_share_one():
    shared, x = no_grad(), Value(2.0)
    gate = threading.Barrier(4)

    def work(how):
        with scalargrad.detect_anomaly() if how else nullcontext():
            for _ in range(200):
                gate.wait()
                with shared:
                    inside = x * x
                    gate.wait()  # all are inside
                    with shared:
                        deeper = x * x
                yield inside.requires_grad, deeper.requires_grad, (x * x).requires_grad

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda how: set(work(how)), [False, False, True, True]))
    assert found == [{(False, False, True)}] * 4


def test_a_recursive_decorated_function():
    @no_grad
    def f(n):
        return [records(), *(f(n - 1) if n else [])]

    assert f(3) == [False] * 4
    assert records()


def test_detect_anomaly_and_sweep_hook_decorate_generators_too():
    @scalargrad.detect_anomaly()
    def f():
        yield 1
        yield Value(800.0).exp()

    it = f()
    next(it)
    assert Value(800.0).exp().data == float("inf")  # outside
    with pytest.raises(scalargrad.AnomalyError):
        next(it)


@given(st.lists(st.sampled_from(["next", "send", "throw", "record"]), max_size=12))
def test_a_generator_goes_on_as_without_the_decorator(actions):
    """The same values come out, whatever the caller does; only the generator's own operations are not recorded."""

    def f():
        got, n = None, 0
        while True:
            n += 1
            try:
                got = yield n, got, records()
            except KeyError as error:
                got = error.args
            if n > 8:
                return "end"

    def run(it):
        found = []
        for action in ("next", *actions):
            try:
                if action == "next":
                    found.append(next(it)[:2])
                elif action == "send":
                    found.append(it.send(action)[:2])
                elif action == "throw":
                    found.append(it.throw(KeyError(1))[:2])
                else:
                    assert records()
            except StopIteration as end:
                found.append(end.value)
            except KeyError as error:  # it had ended
                found.append(error.args)
        return found

    assert run(f()) == run(no_grad(f)())
    assert records()
