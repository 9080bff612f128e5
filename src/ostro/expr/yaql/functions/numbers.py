"""Numbers, comparison and truth. Integers are bounded; so are the operations that make them grow."""

import operator
from collections.abc import Callable
from typing import Any

from ostro.expr.budget import MAX_EXPONENT_BITS
from ostro.expr.yaql.registry import Run, call_function, implements
from ostro.expr.yaql.values import equal
from ostro.model.errors import ExpressionError

Number = int | float


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda run, left, right: function(left, right)


for _name, _function in {"lt": operator.lt, "gt": operator.gt, "lte": operator.le, "gte": operator.ge}.items():
    implements(f"math.{_name}", f"strings.{_name}", f"collections.set_{_name}")(_plain(_function))
    implements(f"date_time.timespan_{_name}_timespan")(_plain(_function))

_NULLS = {
    "left_lt_null": False,
    "left_lte_null": False,
    "left_gt_null": True,
    "left_gte_null": True,
    "null_lt_right": True,
    "null_lte_right": True,
    "null_gt_right": False,
    "null_gte_right": False,
    "null_lt_null": False,
    "null_lte_null": True,
    "null_gt_null": False,
    "null_gte_null": True,
}
for _name, _answer in _NULLS.items():
    implements(f"common.{_name}")(lambda run, left, right, answer=_answer: answer)


@implements("common.eq")
def eq(run: Run, left: Any, right: Any) -> bool:
    return equal(left, right, run)


@implements("common.neq")
def neq(run: Run, left: Any, right: Any) -> bool:
    return not equal(left, right, run)


@implements("boolean.not_")
def not_(run: Run, arg: Any) -> bool:
    return not arg


@implements("boolean.bool_")
def bool_(run: Run, value: Any) -> bool:
    return bool(value)


@implements("boolean.is_boolean")
def is_boolean(run: Run, value: Any) -> bool:
    return isinstance(value, bool)


def _bounded(run: Run, value: Any) -> Any:
    if type(value) is int and value.bit_length() > 64:
        run.check_bits(value.bit_length())
    return value


@implements("math.binary_plus")
def plus(run: Run, left: Number, right: Number) -> Any:
    return _bounded(run, left + right)


@implements("math.binary_minus")
def minus(run: Run, left: Number, right: Number) -> Any:
    return _bounded(run, left - right)


@implements("math.multiplication")
def multiply(run: Run, left: Number, right: Number) -> Any:
    if type(left) is int and type(right) is int:
        run.check_bits(left.bit_length() + right.bit_length() - 1)
    return left * right


@implements("math.division")
def divide(run: Run, left: Number, right: Number) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        return left // right
    return left / right


@implements("math.modulo")
def modulo(run: Run, left: Number, right: Number) -> Any:
    return left % right


@implements("math.unary_plus")
def unary_plus(run: Run, op: Number) -> Any:
    return +op


@implements("math.unary_minus")
def unary_minus(run: Run, op: Number) -> Any:
    return -op


@implements("math.abs_")
def abs_(run: Run, op: Number) -> Any:
    return abs(op)


@implements("math.int_")
def int_(run: Run, value: Any) -> int:
    return 0 if value is None else int(value)


@implements("math.float_")
def float_(run: Run, value: Any) -> float:
    return 0.0 if value is None else float(value)


@implements("math.bitwise_and")
def bitwise_and(run: Run, left: int, right: int) -> int:
    return left & right


@implements("math.bitwise_or")
def bitwise_or(run: Run, left: int, right: int) -> int:
    return left | right


@implements("math.bitwise_xor")
def bitwise_xor(run: Run, left: int, right: int) -> int:
    return left ^ right


@implements("math.bitwise_not")
def bitwise_not(run: Run, arg: int) -> int:
    return ~int(arg)


@implements("math.shift_bits_right")
def shift_bits_right(run: Run, value: int, bits_number: int) -> int:
    return value >> bits_number


@implements("math.shift_bits_left")
def shift_bits_left(run: Run, value: int, bits_number: int) -> int:
    run.check_bits(value.bit_length() + bits_number)
    return value << bits_number


@implements("math.max_")
def max_(run: Run, a: Any, b: Any) -> Any:
    return b if call_function("#operator_>", run, b, a) else a


@implements("math.min_")
def min_(run: Run, a: Any, b: Any) -> Any:
    return a if call_function("#operator_>", run, b, a) else b


@implements("math.pow_")
def pow_(run: Run, a: Number, b: Number, c: Number | None = None) -> Any:
    if isinstance(a, int) and isinstance(b, int):
        if c is None:
            run.check_bits(a.bit_length() * b if abs(a) > 1 else 1)
        elif max(a.bit_length(), b.bit_length(), int(c).bit_length()) > MAX_EXPONENT_BITS:
            raise ExpressionError(f"pow() with a modulus takes numbers of up to {MAX_EXPONENT_BITS} bits")
        else:
            run.tick(b.bit_length())
    return pow(a, b, c)  # type: ignore[arg-type]


@implements("math.sign")
def sign(run: Run, num: Number) -> int:
    return (num > 0) - (num < 0)


@implements("math.round_")
def round_(run: Run, number: Number, ndigits: int = 0) -> Any:
    if isinstance(number, int) and ndigits < -number.bit_length():
        return 0  # Python would compute 10 ** -ndigits first
    return round(number, ndigits)


@implements("math.is_integer")
def is_integer(run: Run, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@implements("math.is_number")
def is_number(run: Run, value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@implements("math.random_")
def random_(run: Run) -> float:
    return _host_random(run)


@implements("math.random__")
def random_between(run: Run, from_: Any, to_: Any) -> int:
    low, high = operator.index(from_), operator.index(to_)
    if high < low:
        raise ValueError(f"empty range for random({low}, {high})")
    return low + int(_host_random(run) * (high - low + 1))


def _host_random(run: Run) -> float:
    if run.scope.host is None:
        raise ExpressionError("random() is only available inside a workflow")
    return run.scope.host.random()
