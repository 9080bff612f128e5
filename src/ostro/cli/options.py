"""Options of commands that look into this machine's database."""

import click

CONFIG = click.option("--config", metavar="FILE", help="TOML file with settings. [env OSTRO_CONFIG]")
DATABASE = click.option("--database", metavar="FILE", help="SQLite file or URL. [env OSTRO_DATABASE]")
