import math
from fractions import Fraction

from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.kernels.orientation import _exact_turn, turn

number = st.one_of(
    st.integers(-3, 3).map(float),
    st.integers(-180, 180).map(lambda n: n / 10),
    st.floats(-180, 180).filter(lambda x: x == 0 or abs(x) > 1e-70),
)
point = st.tuples(number, number)
steps = st.integers(-3, 3)


def exact(ax, ay, bx, by, cx, cy):
    """The sign of the determinant in rational numbers, which do not round."""
    ax, ay, bx, by, cx, cy = map(Fraction, (ax, ay, bx, by, cx, cy))
    determinant = (ax - cx) * (by - cy) - (ay - cy) * (bx - cx)
    return (determinant > 0) - (determinant < 0)


def nudged(x, steps):
    for _ in range(abs(steps)):
        x = math.nextafter(x, math.copysign(math.inf, steps))
    return 0.0 if 0 < abs(x) < 1e-70 else x


@settings(max_examples=500, deadline=None)
@given(point, point, point)
def test_any_three_points(a, b, c):
    assert turn(*a, *b, *c) == exact(*a, *b, *c)
    assert _exact_turn(*a, *b, *c) == exact(*a, *b, *c)


@settings(max_examples=1000, deadline=None)
@given(a=point, b=point, t=st.floats(-1, 2), dx=steps, dy=steps)
@example(a=(0.0, 0.0), b=(0.3, 0.3), t=1 / 3, dx=1, dy=0)
@example(a=(1e-60, 1e-60), b=(180.0, 90.0), t=0.1, dx=0, dy=0)
def test_points_a_few_rounding_steps_off_the_line(a, b, t, dx, dy):
    c = (
        nudged(a[0] + t * (b[0] - a[0]), dx),
        nudged(a[1] + t * (b[1] - a[1]), dy),
    )
    expected = exact(*a, *b, *c)
    assert turn(*a, *b, *c) == turn(*b, *c, *a) == turn(*c, *a, *b) == expected
    assert turn(*b, *a, *c) == -expected
    assert _exact_turn(*a, *b, *c) == expected


@settings(deadline=None)  # the first call compiles
@given(point, point)
def test_two_equal_points_do_not_turn(a, b):
    assert turn(*a, *a, *b) == turn(*a, *b, *a) == turn(*b, *a, *a) == 0


def test_anticlockwise_is_positive():
    assert turn(0.0, 0.0, 1.0, 0.0, 0.0, 1.0) == 1
    assert turn(0.0, 0.0, 0.0, 1.0, 1.0, 0.0) == -1
