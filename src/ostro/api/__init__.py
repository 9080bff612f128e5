"""The HTTP API: wire models, status codes and Mistral's quirks. Sends commands to the engine, reads rows."""

from ostro.api.app import create_app
from ostro.api.settings import ApiSettings

__all__ = ["ApiSettings", "create_app"]
