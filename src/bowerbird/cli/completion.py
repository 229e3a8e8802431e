"""`bowerbird completion`."""

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands, options and files in SHELL.

    \b
    bash: bowerbird completion bash > ~/.local/share/bash-completion/completions/bowerbird
    zsh:  bowerbird completion zsh > a folder of your $fpath, as _bowerbird
    fish: bowerbird completion fish > ~/.config/fish/completions/bowerbird.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None, "click completes all three shells"
    click.echo(found(ctx.find_root().command, {}, "bowerbird", "_BOWERBIRD_COMPLETE").source())
