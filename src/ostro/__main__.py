"""`python -m ostro` and the `ostro` command."""


def main() -> None:
    """Run the command line; ends the process with its exit status."""
    from ostro.cli.main import app

    app(prog_name="ostro")


if __name__ == "__main__":
    main()
