"""The owner of execution trees, and one file per duty around it."""

from ostro.engine.owner import Owner
from ostro.engine.settings import EngineSettings

__all__ = ["EngineSettings", "Owner"]
