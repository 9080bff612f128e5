"""Expressions in texts: YAQL and Jinja, compiled once, evaluated against a Scope within a budget."""

from ostro.expr.recognise import check_expression, is_expression
from ostro.expr.template import Template, compile_value, variables_read, warm_up

__all__ = ["Template", "check_expression", "compile_value", "is_expression", "variables_read", "warm_up"]
