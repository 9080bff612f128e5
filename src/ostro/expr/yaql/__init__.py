"""YAQL expressions: compiled once per text, evaluated against a Scope."""

from ostro.expr.yaql.compiled import CompiledYaql, compile_yaql

__all__ = ["CompiledYaql", "compile_yaql"]
