"""The standard actions that wait on the world, one family a file. Pure ones run inside the engine's batch."""

from ostro.executor.actions import email, http, http_step, script, ssh
from ostro.executor.registry import Action, standard

STANDARD: dict[str, Action] = dict(
    (
        standard("std.http", http.std_http, build_check=http.check_build),
        standard("std.mistral_http", http.std_mistral_http, is_async=True, build_check=http.check_build),
        standard("std.http_step", http_step.std_http_step),
        standard("std.email", email.std_email),
        standard("std.ssh", ssh.std_ssh),
        standard("std.ssh_proxied", ssh.std_ssh_proxied),
        standard("std.wait_ssh", ssh.std_wait_ssh),
        standard("std.javascript", script.std_javascript),
        standard("std.js", script.std_javascript),
    )
)
