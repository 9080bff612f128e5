"""Automations from what people have already: curl commands and OpenAPI documents. No I/O: texts come in.

from_curl("curl https://api.example.com/users/$ID", notes)      -> a step
from_openapi(text, ["listUsers", "PATCH /users/{id}"], notes=notes)  -> an automation
"""

from ostro.lang.automation.curl import from_curl
from ostro.lang.automation.openapi import from_openapi, operations_of

__all__ = ["from_curl", "from_openapi", "operations_of"]
