"""What tests of adapters share."""

from tests.postgres_fixtures import *  # noqa: F403
