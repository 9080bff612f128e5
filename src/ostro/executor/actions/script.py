"""std.javascript and std.js: a script in a child process."""

from typing import Any

from ostro.executor.context import Context


class ScriptActionError(Exception):
    """The script gave no result; the text is for people."""


async def std_javascript(where: Context, /, script: Any, context: Any = None) -> Any:
    """Evaluates JavaScript.

    :param script: the body of a function; what it returns is the result (as JSON).
    :param context: any value; the script sees it as `$`.
    """
    from ostro.executor.actions.script_pool import ScriptFailed

    if not isinstance(script, str):
        raise ScriptActionError("JavaScriptAction failed: 'script' must be a text")
    services = where.services
    pool = await services.scripts()
    try:
        return await pool.run(
            script, context, services.settings.script_timeout, services.settings.http_max_response_bytes
        )
    except ScriptFailed as exc:
        raise ScriptActionError(f"JavaScriptAction failed: {exc}") from None
