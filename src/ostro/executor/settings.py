"""What an operator can set of an executor."""

import msgspec

from ostro.http.limits import HostRule

MIB = 1024 * 1024


class ExecutorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Defaults are fit for a single machine. Times in seconds, sizes as named."""

    concurrency: int = 500  # actions at once
    threads: int = 64  # plug-ins written as plain functions at once
    heartbeat: float = 20.0  # between reports that a long action still runs; 0 = none
    drain: float = 30.0  # how long a stopping executor lets actions finish
    retry_first: float = 0.1  # first pause before a result that the engine could not take is sent again
    retry_most: float = 2.0  # the pause doubles up to this
    http_timeout: float = 60.0
    http_max_response_bytes: int = 5 * MIB
    http_limits: tuple[HostRule, ...] = ()  # the first that matches a host holds
    http_breakers_file: str | None = None  # where open circuit breakers are kept; None: nowhere
    ssh_keys_folder: str | None = None  # `private_key_filename` names files below it; None: refused
    ssh_known_hosts: str | None = None  # file; None: known for the life of the process only
    ssh_connect_timeout: float = 30.0
    ssh_max_output_bytes: int = 5 * MIB
    allow_proxy_command: bool = False  # `proxy_command` runs a program on this machine
    email_timeout: float = 60.0
    email_ca_file: str | None = None  # CA certificates to check mail servers by; None: those of the system
    script_processes: int = 2  # JavaScript child processes at most
    script_timeout: float = 10.0
    script_memory_mb: int = 64
    code_memory_mb: int = 512  # of one run of uploaded Python
    code_seconds: float = 600.0  # likewise, by the clock and of the processor
    code_max_bytes: int = 5 * MIB  # likewise, of its result
