"""`ostro completion`: what a shell has to be told, so that it completes commands and options."""

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that makes a SHELL complete commands and options.

    \b
    bash: eval "$(ostro completion bash)"     in ~/.bashrc
    zsh:  eval "$(ostro completion zsh)"      in ~/.zshrc, after compinit
    fish: ostro completion fish > ~/.config/fish/completions/ostro.fish
    """
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    from ostro.cli.main import app

    # Not `source()`: for bash that asks the installed bash for its version, and here it need not be installed.
    kinds = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
    made = kinds[shell](app, {}, "ostro", "_OSTRO_COMPLETE")
    print(made.source_template % made.source_vars())
