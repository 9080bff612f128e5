"""Runs Alembic on a database URL, without configuration files."""

from importlib import resources

from alembic import command
from alembic.config import Config


def config(url: str) -> Config:
    """Alembic's configuration for this package's migrations."""
    found = Config()
    found.set_main_option("script_location", str(resources.files("ostro.adapters.sql.migrations")))
    found.attributes["url"] = url
    return found


def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database to a revision, in one transaction."""
    command.upgrade(config(url), revision)
