"""Commands that work at a server, a group a file. Imported when used: see `ostro.cli.main`."""
