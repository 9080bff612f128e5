from tests.nats_fixtures import *  # noqa: F403
